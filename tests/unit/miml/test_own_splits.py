"""Logistic regression on a dataset's own splits: what a run leaves, and on how many images it was trained."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.miml import own_splits
from multilabel.training import linear

SIZES = [20, 40, 1000]
FEATURES, CLASSES = 8, ("a", "b", "c")


@pytest.fixture
def splits(tmp_path):
    """Split → image ids, features and labels; they lie in files as the workflow makes them."""
    rng, found = np.random.default_rng(0), {}
    for first, (split, count) in enumerate({"train": 60, "val": 15, "test": 25}.items()):
        image_id, x = 1000 * first + np.arange(count), rng.gamma(1.0, size=(count, FEATURES)).astype(np.float32)
        truth = (x[:, :3] > 1).astype(np.uint8)
        LabelMatrix(image_id, tuple(f"{number}.png" for number in image_id), CLASSES, truth).save(
            tmp_path / f"labels_{split}.h5"
        )
        with h5py.File(tmp_path / f"{split}.h5", "w") as file:
            file["image_id"], file["features"] = image_id, x
            file.attrs["provenance"] = json.dumps({"blocks": {"early": [0, 3], "late": [3, 8]}})
        found[split] = (image_id, x, truth)
    return found


@pytest.fixture
def train(splits, tmp_path):
    """Train a run into a folder of this name; gives the folder."""

    def train(run, name="out", **options):
        own_splits.train(
            run,
            features={split: tmp_path / f"{split}.h5" for split in splits},
            labels=tmp_path / "labels_train.h5",
            **{"sizes": SIZES, "seed": 1, "c": 1.0, "solver": "own", "largest_gb": 1.0} | options,
            record={"inputs": {}},
            folder=tmp_path / name,
            timing=tmp_path / name / "timing" / f"{run}.csv",
        )
        return tmp_path / name

    return train


@pytest.mark.parametrize("run", ["l1", "l2"])
def test_scores_are_those_of_the_classifier_that_train_gave(run, train, splits):
    folder = train(run)
    _, x, truth = splits["train"]
    model = linear.fit(x, truth, penalty=run, c=1.0)
    for split in ("val", "test"):
        image_id, scores = predictions.load(folder / f"predictions/{run}/{split}.h5")
        assert image_id.tolist() == splits[split][0].tolist()
        np.testing.assert_allclose(scores, linear.probabilities(model, splits[split][1]), atol=1e-6)


def test_smaller_parts_are_nested_and_as_large_as_asked(train, monkeypatch):
    fit, seen = linear.fit, []
    monkeypatch.setattr(linear, "fit", lambda x, *rest, **options: (seen.append(x), fit(x, *rest, **options))[1])
    train("l1")
    whole, small, medium = ({tuple(row) for row in x.tolist()} for x in seen)
    assert (len(small), len(medium), len(whole)) == (20, 40, 60)
    assert small < medium < whole


def test_a_size_above_what_there_is_stands_for_all_images(train):
    folder = train("l2") / "predictions"
    assert (folder / "l2_n1000/test.h5").read_bytes() == (folder / "l2/test.h5").read_bytes()
    assert (folder / "l2_n20/test.h5").read_bytes() != (folder / "l2/test.h5").read_bytes()


def test_both_penalties_train_on_the_same_parts(train, monkeypatch):
    fit, seen = linear.fit, []
    monkeypatch.setattr(linear, "fit", lambda x, *rest, **options: (seen.append(x), fit(x, *rest, **options))[1])
    for run in ("l1", "l2"):
        train(run)
    for ours, theirs in zip(seen[:3], seen[3:], strict=True):
        assert (ours == theirs).all()


def test_the_record_says_what_was_trained(train):
    folder = train("l1")
    results = json.loads((folder / "runs/l1/run.json").read_text())["results"]
    assert (results["images"], results["trained_parameters"]) == (60, 3 * (FEATURES + 1))
    assert results["largest_gap"] <= 1e-5
    timing = pd.read_csv(folder / "timing/l1.csv")
    assert list(timing) == ["epoch", "seconds", "memory_mb"]
    assert timing["epoch"].tolist() == [0]
    assert timing["memory_mb"][0] > 0


def test_the_weights_are_the_classifiers(train, splits):
    model = own_splits.load(train("l2") / "runs/l2/weights.h5")
    _, x, truth = splits["train"]
    np.testing.assert_array_equal(model.weights, linear.fit(x, truth, penalty="l2", c=1.0).weights)


def test_the_same_call_gives_the_same_bytes(train):
    first, second = train("l1", "first"), train("l1", "second")
    for path in first.rglob("*.*"):
        if path.is_file() and path.parent.name != "timing":
            assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_features_that_are_too_large_are_refused_with_the_key(train):
    message = r"miml\.largest_gb: 60 training images with 8 features take .* expected at most 1e-06 GB; .*comparison"
    with pytest.raises(ValueError, match=message):
        train("l1", largest_gb=1e-6)
