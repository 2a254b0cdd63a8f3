"""The target `designs` on the smallest demo, and the labels of a small VOCdevkit."""

import json
from collections import Counter

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.datasets.voc import CLASSES
from multilabel.evaluation import metrics, predictions

from .conftest import SMALLEST, copy_project, planned, run_snakemake

DESIGNS = "results/shapes_smallest/designs"
LOSSES = ("softmax", "balanced_sampling", "asymmetric")
RUNS = {"model1", "model2", "model3", *(f"model3_{loss}" for loss in LOSSES)}
FEATURE_RUNS = {f"features_{output}_0" for output in ("sigmoid_bce", "sigmoid_mse", "tanh_mse", "softmax", "per_label")}


def test_every_table_and_figure_is_there(finished):
    made = Counter(path.stem for path in (finished / DESIGNS).glob("**/[tf]*s/*.*"))
    assert made == {
        **dict.fromkeys(("classes", "ablation", "outputs", "comparison", "reproduction"), 4),
        **dict.fromkeys(("scores", "rare", "cost"), 2),
    }


def test_every_run_has_a_record_and_scores_of_all_images(finished):
    folder = finished / DESIGNS
    assert {path.name for path in (folder / "runs").iterdir()} == RUNS | FEATURE_RUNS
    test, validation = (
        LabelMatrix.load(finished / f"results/shapes_smallest/labels/{split}.h5") for split in ("test", "val")
    )
    for run in RUNS | FEATURE_RUNS:
        assert json.loads((folder / "runs" / run / "run.json").read_text())["results"]
        for split, labels in (("test", test), ("val", validation)):
            image_id, scores = predictions.load(folder / "predictions" / run / f"{split}.h5")
            assert sorted(image_id.tolist()) == sorted(labels.image_id.tolist())
            assert scores.shape == (len(labels), 12)


def test_without_validation_images_of_the_dataset_a_part_of_train_chooses(tmp_path):
    content = yaml.safe_load(SMALLEST.read_text())
    content["dataset"]["validation"]["fraction"] = 0.0
    (tmp_path / "flattering.yaml").write_text(yaml.safe_dump(content))
    folder = copy_project(tmp_path / "project")
    assert planned(folder, "designs", config=tmp_path / "flattering.yaml")["designs_labels"] == 1
    assert planned(folder, "designs")["designs_labels"] == 0


def test_metrics_are_those_of_the_scores(finished):
    folder = finished / DESIGNS
    found = predictions.load_with_truth(
        folder / "predictions/model2/test.h5", finished / "results/shapes_smallest/labels/test.h5"
    )
    expected = metrics.mean_average_precision(found.truth, found.scores)
    assert json.loads((folder / "metrics/model2.json").read_text())["mean_average_precision"] == expected
    table = pd.read_csv(folder / "timing/tables/comparison.csv").set_index("quantity")
    assert table.loc["mAP", "Model 2"] == pytest.approx(expected)


def test_model_2_stores_its_convolutions_once(finished):
    with h5py.File(finished / DESIGNS / "networks/model2_first.h5") as file:
        assert [sorted(network) for network in file.values()] == [["block1_conv1", "block1_conv2", "hidden", "logits"]]
    with h5py.File(finished / DESIGNS / "networks/model2_0.h5") as file:
        assert {tuple(sorted(network)) for network in file.values()} == {("hidden", "logits")}
        assert sorted(map(int, file)) == list(range(1, 12))


def test_the_best_run_of_model_3_is_a_model_for_predict(finished):
    folder = finished / DESIGNS
    model = export.load(folder / "model/shapes_smallest_model3.h5")
    assert model.run.startswith("model3")
    validation = {
        run: json.loads((folder / "metrics" / f"{run}.json").read_text())["validation_mean_average_precision"]
        for run in RUNS
        if run.startswith("model3")
    }
    assert validation[model.run] == max(validation.values())
    labels = LabelMatrix.load(finished / "results/shapes_smallest/labels/test.h5")
    image = Image.open(finished / "results/shapes_smallest/data/val" / labels.file_name[0]).convert("RGB")
    scores = export.scorer(model)(np.asarray(image.resize(model.size, Image.Resampling.BILINEAR))[np.newaxis])
    image_id, saved = predictions.load(folder / "predictions" / model.run / "test.h5")
    np.testing.assert_allclose(
        scores[0], saved[image_id == labels.image_id[0]][0], atol=0.02
    )  # resized in one step here


def test_a_second_call_has_nothing_to_do(finished):
    assert planned(finished, "designs") == {}


def test_more_epochs_of_one_design_train_that_design_alone(finished, tmp_path):
    folder = copy_project(tmp_path / "project", finished, "results", ".snakemake")
    config = tmp_path / "more.yaml"
    config.write_text(SMALLEST.read_text().replace("    model1: 1\n", "    model1: 2\n"))
    jobs = planned(folder, "--", "designs", config=config)
    assert {name for name in jobs if name.startswith("designs_model")} == {"designs_model1_0"}


# --- PASCAL VOC


@pytest.fixture
def devkit(tmp_path):
    """A VOC2007 of ten images for train and four for test, in a project that reads it."""
    folder = copy_project(tmp_path / "project")
    place = folder / "VOCdevkit/VOC2007"
    main = place / "ImageSets/Main"
    main.mkdir(parents=True)
    (place / "JPEGImages").mkdir()
    rng = np.random.default_rng(0)
    for image_set, numbers in {"trainval": range(1, 11), "test": range(11, 15)}.items():
        names = [f"{number:06}" for number in numbers]
        for name in names:
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(place / "JPEGImages" / f"{name}.jpg")
        (main / f"{image_set}.txt").write_text("".join(f"{name}\n" for name in names))
        for column, label in enumerate(CLASSES):
            values = [(1, -1, 0)[(number + column) % 3] for number in numbers]
            lines = [f"{name} {value:2}\n" for name, value in zip(names, values, strict=True)]
            (main / f"{label}_{image_set}.txt").write_text("".join(lines))
    sources = {
        split: {
            "images": "VOCdevkit/VOC2007/JPEGImages",
            "annotations": f"VOCdevkit/VOC2007/ImageSets/Main/{image_set}.txt",
        }
        for split, image_set in {"train": "trainval", "test": "test"}.items()
    }
    dataset = {"name": "voc", "subset": "2007", "kind": "voc", "difficult": "ignore", **sources}
    config = yaml.safe_dump({"dataset": dataset | {"validation": {"fraction": 0.2}}, "gpu": False})
    (folder / "voc.yaml").write_text(config)
    return folder


def test_the_labels_of_a_devkit_carry_what_is_ignored(devkit):
    wanted = [f"results/voc_2007/labels/{split}.h5" for split in ("train", "val", "test")]
    result = run_snakemake(devkit, "--", *wanted, config="voc.yaml")
    assert result.returncode == 0, result.stdout
    train, validation, test = (LabelMatrix.load(devkit / path) for path in wanted)
    assert (len(train), len(validation), len(test)) == (8, 2, 4)
    assert train.classes == CLASSES
    assert train.ignored.any()
    assert test.ignored[0].tolist() == [(11 + column) % 3 == 2 for column in range(20)]


def test_an_edited_list_of_a_class_is_read_again(devkit):
    wanted = "results/voc_2007/labels/test.h5"
    assert run_snakemake(devkit, "--", wanted, config="voc.yaml").returncode == 0
    path = devkit / "VOCdevkit/VOC2007/ImageSets/Main/cow_test.txt"
    path.write_text(path.read_text().replace("-1", " 1"))
    assert planned(devkit, "--", wanted, config="voc.yaml")["labels"] == 1


def test_a_set_that_is_not_there_stops_before_any_job(devkit):
    text = (devkit / "voc.yaml").read_text().replace("Main/test.txt", "Main/tests.txt")
    (devkit / "voc.yaml").write_text(text)
    result = run_snakemake(devkit, "-n", "--", "designs", config="voc.yaml")
    assert "dataset.test.annotations: no such path: VOCdevkit/VOC2007/ImageSets/Main/tests.txt" in result.stdout


def test_the_published_archives_are_fetched_where_they_are_missing(tmp_path):
    folder = copy_project(tmp_path / "project")
    jobs = planned(folder, "designs", config=folder / "config/voc_2007.yaml")
    assert jobs["unpack_voc_2007"] == 1
    assert jobs["designs_model2_first"] == 1
    assert "designs_labels" not in jobs  # the configuration has a validation split
