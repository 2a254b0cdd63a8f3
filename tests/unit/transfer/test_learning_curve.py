import h5py
import numpy as np
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import learning_curve, learning_curve_table

RUN = "a_set_zmuvs_avg_1x16d0_lr11_b16"
SETTINGS = {"epochs": 20, "patience": 5, "min_delta": 0.0, "momentum": 0.9, "decay": 0.0, "seed": 3, "memory_gb": 1.0}


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    """Features that tell each of their four labels, and the label files."""
    folder, rng = tmp_path_factory.mktemp("splits"), np.random.default_rng(0)
    for split, count in (("train", 300), ("val", 100)):
        truth = rng.random((count, 4)) < 0.5
        with h5py.File(folder / f"{split}.h5", "w") as file:
            file["image_id"] = np.arange(count)
            file["features"] = (truth + 0.5 * rng.normal(size=truth.shape)).astype(np.float32)
        names = [f"{number}.jpg" for number in range(count)]
        LabelMatrix(np.arange(count), names, "abcd", truth).save(folder / f"{split}_labels.h5")
    return {split: (str(folder / f"{split}.h5"), str(folder / f"{split}_labels.h5")) for split in ("train", "val")}


@pytest.fixture(scope="module")
def curve(splits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("work") / ".learning_curve"
    places = {"output": folder.with_name("scores.h5"), "folder": folder}
    learning_curve.train(RUN, [30, 1000], **splits, test=splits["val"], **places, settings=SETTINGS, record={})
    assert not folder.exists()
    labels = splits["val"][1]
    return learning_curve_table.table(places["output"], val=labels, test=labels, k=2)


def test_sizes_beyond_the_training_images_stand_for_all_of_them(curve):
    assert curve[["labels", "images"]].to_numpy().tolist() == [
        ["all labels", 30],
        ["all labels", 300],
        ["one label", 30],
        ["one label", 300],
    ]


def test_more_images_give_better_predictions(curve):
    found = curve.set_index(["labels", "images"])
    assert found.loc[("all labels", 300), "mAP"] > found.loc[("all labels", 30), "mAP"]
    assert found.loc[("all labels", 300), "validation loss"] < found.loc[("all labels", 30), "validation loss"]


def test_with_one_label_each_labelled_image_counts_one_pair(curve, splits):
    truth = LabelMatrix.load(splits["train"][1]).labels
    pairs = curve.set_index(["labels", "images"])["pairs"]
    assert pairs["all labels", 300] == truth.sum()
    assert pairs["one label", 300] == truth.any(axis=1).sum()


def test_the_label_that_is_kept_is_one_of_the_image_s():
    truth = np.random.default_rng(1).random((200, 5)) < 0.4
    matrix = LabelMatrix(np.arange(200), [str(number) for number in range(200)], "abcde", truth)
    kept = learning_curve.one_label(matrix, np.random.default_rng(0)).labels
    assert (kept.sum(axis=1) == truth.any(axis=1)).all()
    assert (kept <= matrix.labels).all()
    assert kept.sum(axis=0).min() > 10  # not always the first one
