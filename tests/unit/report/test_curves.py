import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from multilabel.report import curves


@pytest.fixture(scope="module")
def example():
    """Labels and scores with ties, of 60 images and 4 classes, the last of which no image has."""
    rng = np.random.default_rng(0)
    truth = rng.random((60, 4)) < 0.3
    truth[:, 3] = False
    return truth.astype(np.uint8), np.round(rng.random((60, 4)) + 0.3 * truth, 1)


@pytest.fixture
def logged(tmp_path):
    """A log, and a file of the seconds of its epochs."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/log.csv").write_text("epoch,loss,acc,val_loss,val_acc\n0,1,0.5,0.9,0.6\n1,0.8,0.6,0.7,0.7\n")
    (tmp_path / "run.csv").write_text("epoch,seconds\n0,1.5\n1,2.25\n")
    return tmp_path / "run/log.csv", tmp_path / "run.csv"


def test_logs_are_read_with_the_seconds_beside_them(logged):
    log, timing = logged
    assert list(curves.read([log])["run"].columns) == ["epoch", "loss", "acc", "val_loss", "val_acc"]
    assert curves.read([log], [timing])["run"]["seconds"].tolist() == [1.5, 2.25]


def test_seconds_of_other_epochs_are_refused(logged):
    log, timing = logged
    timing.write_text("epoch,seconds\n0,1.5\n")
    with pytest.raises(ValueError, match=r"run\.csv: expected the 2 epochs of its run's log, found 1"):
        curves.read([log], [timing])


def test_logs_of_several_seeds_stand_under_their_run(logged):
    (logs,) = curves.read_repeats([logged[0], logged[0]]).values()
    assert [len(log) for log in logs] == [2, 2]


def test_epochs_of_all_runs_are_below_each_other_without_times():
    log = pd.DataFrame({"epoch": [0, 1], "loss": 0.5, "acc": 0.9, "val_loss": 0.6, "val_acc": 0.8, "seconds": 3.1})
    table = curves.training({"a": log, "b": log[:1]})
    assert list(table.columns) == ["curve", "epoch", "loss", "val_loss", "acc", "val_acc"]
    assert table[["curve", "epoch"]].to_numpy().tolist() == [["a", 0], ["a", 1], ["b", 0]]


def test_average_precision_is_scikit_learns_for_each_class(example):
    truth, scores = example
    table = curves.average_precision(truth, scores, list("abcd"))
    expected = [average_precision_score(truth[:, j], scores[:, j]) for j in range(3)]
    np.testing.assert_allclose(table["average_precision"], [*expected, 0])
    assert table["images"].tolist() == truth.sum(axis=0).tolist()
    assert table["class"].tolist() == list("abcd")


def independent(truth, scores):
    """From scikit-learn's curve: the precision at the highest threshold that reaches each level."""
    precision, recall, _ = precision_recall_curve(truth, scores)
    return [precision[:-1][recall[:-1] >= level - 1e-9][-1] for level in np.linspace(0, 1, 101)]


def test_micro_precision_is_scikit_learns_over_all_pairs(example):
    truth, scores = example
    table = curves.precision_recall(truth, scores).set_index("curve").loc["micro"]
    np.testing.assert_allclose(table["precision"], independent(truth.ravel(), scores.ravel()))
    np.testing.assert_allclose(table["recall"], np.linspace(0, 1, 101))


def test_macro_precision_is_the_mean_over_classes_with_images(example):
    truth, scores = example
    table = curves.precision_recall(truth, scores).set_index("curve").loc["macro"]
    expected = np.mean([independent(truth[:, j], scores[:, j]) for j in range(3)], axis=0)
    np.testing.assert_allclose(table["precision"], expected)


def test_perfect_scores_have_precision_1_at_every_recall():
    truth = np.array([[1, 0], [0, 1], [1, 1]])
    assert (curves.precision_recall(truth, truth.astype(float))["precision"] == 1).all()
