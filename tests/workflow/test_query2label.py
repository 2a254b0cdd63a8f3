"""The target `query2label` on the smallest demo: what was trained, and a released checkpoint."""

import json
import re
from collections import OrderedDict

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from torch_files import Tensor, save

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import metrics, predictions
from multilabel.experiments.query2label import model
from multilabel.images.decode import decode
from multilabel.networks import pytorch

from .conftest import SMALLEST, copy_project, planned, run_snakemake

DATASET = "results/shapes_smallest"
RESULTS = f"{DATASET}/query2label"
RUNS = ["transformer_s0", "pooled_s0", "finetuned_s0"]


def test_every_run_has_its_record_scores_metrics_and_model_file(finished):
    for run in RUNS:
        for path in (f"runs/{run}/run.json", f"predictions/{run}/val.h5", f"metrics/{run}.json", f"models/{run}.h5"):
            assert (finished / RESULTS / path).is_file(), path


def test_the_comparison_has_the_metrics_of_the_runs(finished):
    table = pd.read_csv(finished / RESULTS / "timing/tables/comparison.csv").set_index("model")
    for run, name in zip(RUNS, ["Query2Label", "Average-pooled top model", "Fine-tuned model"], strict=True):
        found = json.loads((finished / RESULTS / f"metrics/{run}.json").read_text())
        assert table.loc[name, "mAP"] == pytest.approx(found["mean_average_precision"])
        assert table.loc[name, "mAP low"] <= table.loc[name, "mAP"] <= table.loc[name, "mAP high"]


def test_attention_of_each_layer_is_beside_the_area_of_the_masks(finished):
    table = pd.read_csv(finished / RESULTS / "tables/attention.csv")
    everything = table[table["class"] == "all"]
    assert everything["ratio"].to_numpy() == pytest.approx((everything["attention"] / everything["area"]).to_numpy())
    assert everything["area"].between(0, 1).all()


def test_the_page_has_a_map_for_each_label_that_it_lists(finished):
    page = (finished / RESULTS / "galleries/transformer_s0.html").read_text()
    content = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))
    assert len(content["grid"]) == 2
    assert all(len(label) == 5 and label[4] for image in content["images"] for label in image[3])


# A released checkpoint


@pytest.fixture(scope="module")
def network(finished):
    """A small Query2Label of torchvision's layers for the labels of the demo, with random weights."""
    keras.utils.set_random_seed(0)
    classes = len(LabelMatrix.load(finished / DATASET / "labels/val.h5").classes)
    backbone = {"kind": "resnet", "network": "resnet18"}
    return model.build(model.Architecture(backbone, 64, classes, 16, 24, 2, 1, 2, project=True, normalise="unit"))


@pytest.fixture(scope="module")
def imported(finished, network, tmp_path_factory):
    """The demo's project and a configuration that trains nothing and names the checkpoint for a row of Table I."""
    folder = copy_project(tmp_path_factory.mktemp("imported") / "project", finished, "results", ".snakemake")
    state = OrderedDict((f"module.{key}", Tensor(value)) for key, value in pytorch.state(network).items())
    save(folder / "checkpoint.pkl", {"state_dict": state})
    said = {"backbone": "resnet18", "img_size": 64, "nheads": 2, "orid_norm": True}
    (folder / "config_new.json").write_text(json.dumps(said))
    content = yaml.safe_load(SMALLEST.read_text())
    entry = {"name": "released", "checkpoint": "checkpoint.pkl", "config": "config_new.json", "row": "Q2L-R101-448"}
    content["query2label"] |= {"train": False, "checkpoints": [entry]}
    (folder / "released.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="module")
def judged(imported):
    """The project after the call."""
    result = run_snakemake(imported, "--", "query2label", config="released.yaml")
    assert result.returncode == 0, result.stdout
    return imported


def test_nothing_is_trained_for_a_checkpoint(imported):
    jobs = planned(imported, "query2label", config="released.yaml")
    assert {"query2label_import", "query2label_predict", "query2label_table1"} <= set(jobs)
    assert not {"query2label_transformer", "query2label_pooled", "query2label_finetuned"} & set(jobs)


def test_its_scores_are_those_of_the_network(judged, network):
    labels = LabelMatrix.load(judged / DATASET / "labels/test.h5")
    image_id, scores = predictions.load(judged / RESULTS / "predictions/released/test.h5")
    rows = labels.rows_of(image_id, name="labels", other="scores")
    pixels = np.stack([decode(judged / DATASET / "data/val" / labels.file_name[row], (64, 64)) for row in rows])
    wanted = keras.ops.sigmoid(network(pixels.astype(np.float32) / 255)).numpy()
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_table_1_has_its_map_beside_the_printed_one(judged):
    found = predictions.load_with_truth(
        judged / RESULTS / "predictions/released/test.h5", judged / DATASET / "labels/test.h5"
    )
    table = pd.read_csv(judged / RESULTS / "tables/table1.csv")
    (row,) = (
        table[table["what"].str.contains("Q2L-R101-448") & table["what"].str.endswith("mAP")]
        .iloc[[0]]
        .to_dict("records")
    )
    assert row["ours"] == pytest.approx(100 * metrics.mean_average_precision(found.truth, found.scores))
    assert row["published"] == 84.9


def test_where_it_looked_is_shown(judged):
    assert (judged / RESULTS / "figures/attention_released.png").stat().st_size > 1000
    assert (judged / RESULTS / "galleries/released.html").is_file()
    with h5py.File(judged / RESULTS / "attention/released.h5") as file:
        assert file["maps"].shape[1:] == (2, len(LabelMatrix.load(judged / DATASET / "labels/val.h5").classes), 2, 2)


def test_a_checkpoint_of_other_classes_is_named_and_leaves_nothing(imported, tmp_path):
    folder = copy_project(tmp_path / "project", imported, "results", ".snakemake", "released.yaml", "config_new.json")
    keras.utils.set_random_seed(0)
    backbone = {"kind": "resnet", "network": "resnet18"}
    other = model.build(model.Architecture(backbone, 64, 3, 16, 24, 2, 1, 2, project=True, normalise="unit"))
    save(folder / "checkpoint.pkl", {"state_dict": {key: Tensor(value) for key, value in pytorch.state(other).items()}})
    result = run_snakemake(folder, "--", f"{RESULTS}/models/released.h5", config="released.yaml")
    assert result.returncode != 0
    assert re.search(r"checkpoint\.pkl: expected \d+ classes, found 3", result.stdout), result.stdout
    assert not (folder / RESULTS / "models/released.h5").exists()
