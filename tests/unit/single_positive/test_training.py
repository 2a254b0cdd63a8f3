"""Searches of studies on small generated features: what they leave, and that kills and hidden labels change nothing."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import forks
import h5py
import numpy as np
import pandas as pd
import pytest

from multilabel.evaluation import predictions
from multilabel.experiments.single_positive import features, observation, samples, training
from multilabel.experiments.single_positive.runs import Study
from multilabel.training.sources import InMemory

COUNTS = {"train": 90, "val": 40, "test": 30}
WIDTH, CLASSES = 8, 5
SETTINGS = training.Settings(epochs=3, batch_sizes=[8, 16], learning_rates=[1e-1, 1e-2], seeds=2, seed=0, expected=1.5)


def generated():
    """Features and labels of each split, the labels from a linear rule."""
    rng = np.random.default_rng(0)
    rule = rng.normal(size=(WIDTH, CLASSES))
    x = {split: features.empty(count, WIDTH) for split, count in COUNTS.items()}
    labels = {}
    for split, values in x.items():
        values[:] = rng.normal(size=values.shape)
        labels[split] = (values @ rule > 2).astype(np.uint8)
        labels[split][np.arange(len(values)), rng.integers(0, CLASSES, len(values))] = 1
    return x, labels


def made(folder):
    """A training of studies on them."""
    x, labels = generated()
    image_id = {split: 100 + np.arange(count) for split, count in COUNTS.items()}
    sources = {split: InMemory(samples.in_memory(x[split]), np.arange(count), 0) for split, count in COUNTS.items()}
    given = training.Samples(
        sources, image_id, labels["val"], lambda seed: samples.linear_model(WIDTH, CLASSES, seed=seed)
    )
    watched = [Study("linear", "role"), Study("linear", "an")]
    return training.Training(given, SETTINGS, Path(folder), {"dataset": "generated"}, watched)


def train(folder, loss, truth=None):
    """Search a study, with other hidden labels if `truth` has them."""
    _, labels = generated()
    drawn = observation.draw(labels["train"], negatives=1)
    study = Study("linear", loss)
    seen = observation.seen(study.supervision, labels["train"] if truth is None else truth, drawn)
    trained = made(folder)
    trained.study(study, seen)
    trained.forget([study])


def contents(folder):
    """All files by their paths, those with measured seconds apart."""
    files = (path for path in Path(folder).rglob("*") if path.is_file() and path.parent.name != "timing")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def role(tmp_path_factory):
    folder = tmp_path_factory.mktemp("role")
    train(folder, "role")
    return folder


def test_a_study_leaves_its_search_and_what_the_chosen_settings_predict(role):
    names = {f"linear_role_o1_b{batch}_lr{rate}" for batch in (8, 16) for rate in (11, 12)} | {"linear_role_o1_s1"}
    assert {path.name for path in (role / "runs").iterdir()} == names
    for name in names:
        assert {path.name for path in (role / "runs" / name).iterdir()} == {
            "log.csv",
            "best.weights.h5",
            "run.json",
            "estimates.h5",
        }
    found = json.loads((role / "searches/linear_role_o1.json").read_text())
    assert found["chosen"] == max(found["searched"], key=lambda row: row["val_map"])
    for seed in (0, 1):
        for split in ("val", "test"):
            image_id, scores = predictions.load(role / f"predictions/linear_role_o1_s{seed}/{split}.h5")
            assert image_id.tolist() == list(range(100, 100 + COUNTS[split]))
            assert scores.shape == (COUNTS[split], CLASSES)
    with h5py.File(role / "epochs/linear_role_o1.h5") as file:
        assert file["weights"].shape == (3, WIDTH, CLASSES)
        assert file["bias"].shape == (3, CLASSES)


def test_the_chosen_runs_have_record_and_timing_by_names_that_no_search_decides(role):
    chosen = json.loads((role / "searches/linear_role_o1.json").read_text())["chosen"]["run"]
    for name, run in (("linear_role_o1_s0", chosen), ("linear_role_o1_s1", "linear_role_o1_s1")):
        assert (role / f"chosen/{name}/run.json").read_bytes() == (role / f"runs/{run}/run.json").read_bytes()
        assert (role / f"timing/{name}.csv").read_bytes() == (role / f"timing/{run}.csv").read_bytes()


def test_each_run_leaves_what_its_epochs_took(role):
    runs = {path.name for path in (role / "runs").iterdir()}
    assert {path.stem for path in (role / "timing").iterdir()} == runs | {"linear_role_o1_s0"}
    for run in runs:
        timing = pd.read_csv(role / f"timing/{run}.csv")
        assert timing.columns.tolist() == ["epoch", "seconds", "memory_mb"]
        assert timing["epoch"].tolist() == [0, 1, 2]


def test_the_chosen_epoch_is_the_one_whose_classifier_predicts(role):
    chosen = json.loads((role / "searches/linear_role_o1.json").read_text())["chosen"]
    with h5py.File(role / "epochs/linear_role_o1.h5") as file:
        weights, bias = file["weights"][chosen["epoch"]], file["bias"][chosen["epoch"]]
    _, scores = predictions.load(role / "predictions/linear_role_o1_s0/test.h5")
    assert scores == pytest.approx(1 / (1 + np.exp(-(generated()[0]["test"] @ weights + bias))), abs=1e-5)


def test_the_estimates_of_the_chosen_run_keep_what_was_observed(role):
    estimates = observation.load_estimates(role / "estimates/linear_role_o1.h5", 100 + np.arange(90))
    observed = observation.draw(generated()[1]["train"]) > 0
    assert estimates.shape == observed.shape
    assert estimates[observed].mean() > 0.75 > estimates[~observed].mean()


@pytest.mark.parametrize("loss", ["an", "role"])
def test_other_hidden_labels_end_in_the_same_bytes(loss, tmp_path):
    _, labels = generated()
    drawn = observation.draw(labels["train"])
    corrupt = np.where(drawn > 0, 1, 1 - labels["train"])
    train(tmp_path / "true", loss)
    train(tmp_path / "corrupt", loss, corrupt)
    assert contents(tmp_path / "corrupt") == contents(tmp_path / "true")


def test_role_killed_at_random_moments_ends_in_the_same_bytes(role, tmp_path):
    moments = random.Random(int(time.time()))  # others in each run of the test
    command = [forks.python(), "-u", __file__, str(tmp_path / "killed")]
    for _ in range(3):  # of the 15 epochs of five runs, at most three each
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(moments.randint(1, 3)):  # a line after each epoch, and for each run that goes on
            child.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        child.kill()
        assert child.wait() != 0, "it had ended before"
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert contents(tmp_path / "killed") == contents(role)


if __name__ == "__main__":
    train(sys.argv[1], "role")
