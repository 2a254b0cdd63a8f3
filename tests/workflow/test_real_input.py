"""The whole workflow on 318 real images of COCO 2017 with MobileNet's real weights."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import metrics, predictions
from multilabel.evaluation.predictions import load_with_truth
from multilabel.files import read_json

from .conftest import FIGURES, ROOT, copy_project, planned, run_snakemake

RESULTS = Path("results/coco_sample")


@pytest.fixture(scope="module")
def real(shared_data, tmp_path_factory):
    """The finished project, its configuration, and the real data."""
    folder = copy_project(tmp_path_factory.mktemp("real") / "project")
    config = folder / "coco_sample.yaml"
    text = (ROOT / "tests/workflow/coco_sample.yaml").read_text()
    config.write_text(text.replace("../shared/data", str(shared_data)))
    result = run_snakemake(folder, config=config)
    assert result.returncode == 0, result.stdout
    return folder, config


def final_predictions(folder):
    """Those of the final model on the labelled test images, and the classes."""
    results = folder / RESULTS
    run = read_json(results / "final_model.json")["run"]
    labels = results / "labels/val.h5"
    return load_with_truth(results / "predictions" / run / "val.h5", labels), LabelMatrix.load(labels).classes


@pytest.mark.parametrize("split", ["train", "val"])
def test_label_matrices_are_the_published_ones(real, shared_data, split):
    published = np.load(shared_data / "coco2017/labels.npz")
    rows = dict(zip(published[f"{split}2017_ids"].tolist(), published[f"{split}2017_labels"], strict=True))
    made = LabelMatrix.load(real[0] / RESULTS / f"labels/{split}.h5")
    assert len(made) == {"train": 160, "val": 158}[split]
    nothing = np.zeros(80, np.uint8)  # the published ones leave unlabelled training images out
    for image_id, row in zip(made.image_id.tolist(), made.labels, strict=True):
        assert (row == rows.get(image_id, nothing)).all(), image_id


def test_every_table_and_figure_is_there(real):
    assert {path.stem for path in (real[0] / RESULTS / "figures").iterdir()} == FIGURES
    methods = pd.read_csv(real[0] / RESULTS / "tables/table2.csv")["method"].str.split().str[0].tolist()
    assert methods[-6:] == ["best", "a.", "b.", "c.", "d.", "e."]


def test_people_are_found(real):
    (_, truth, scores), classes = final_predictions(real[0])
    person = classes.index("person")
    assert metrics.mean_average_precision(truth[:, [person]], scores[:, [person]]) > truth[:, person].mean() + 0.2


def test_the_first_label_of_most_images_is_right(real):
    (_, truth, scores), _ = final_predictions(real[0])
    assert metrics.one_error(truth, scores) < 0.5


def test_imagenet_weights_tell_more_than_label_frequencies(real):
    (_, truth, scores), _ = final_predictions(real[0])
    by_frequency = np.broadcast_to(truth.mean(axis=0), truth.shape)
    assert metrics.mean_average_precision(truth, scores) > metrics.mean_average_precision(truth, by_frequency) + 0.1


def predicted(folder, *images):
    """Exit status and standard error of `multilabel predict`, and scores by image name."""
    command = [sys.executable, "-m", "multilabel", "predict", folder / RESULTS / "model/coco_sample.h5", *images]
    result = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    scores = {
        Path(entry["image"]).name: {label["label"]: label["score"] for label in entry["labels"]}
        for entry in json.loads(result.stdout)
    }
    return result.returncode, result.stderr, scores


def expected_scores(folder):
    """Those of the workflow on test images, by image name."""
    results = folder / RESULTS
    _, scores = predictions.load(results / "predictions" / read_json(results / "final_model.json")["run"] / "val.h5")
    labels = LabelMatrix.load(results / "labels/val.h5")
    named = (dict(zip(labels.classes, row.tolist(), strict=True)) for row in scores)
    return dict(zip(labels.file_name, named, strict=True))


def test_multilabel_predict_gives_the_scores_of_the_workflow_for_one_image(real, shared_data):
    name, expected = next(iter(expected_scores(real[0]).items()))
    status, _, found = predicted(real[0], shared_data / "coco_sample/val2017" / name)
    assert status == 0
    assert found[name] == pytest.approx(expected, rel=0, abs=1e-5)


def test_multilabel_predict_does_a_folder_and_reports_the_bad_image_beside_it(real, shared_data, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(next((shared_data / "coco_sample/val2017").iterdir()).read_bytes()[:2000])
    status, errors, found = predicted(real[0], bad, shared_data / "coco_sample/val2017")
    assert status == 1
    assert f"{bad}: " in errors
    expected = expected_scores(real[0])
    assert found.keys() == expected.keys()
    for name, scores in expected.items():
        assert found[name] == pytest.approx(scores, rel=0, abs=1e-5)


def test_a_second_call_has_nothing_to_do(real):
    folder, config = real
    assert planned(folder, config=config) == {}
