import numpy as np
import pandas as pd
import pytest

from multilabel import config
from multilabel.experiments.transfer import figures, reference, runs


@pytest.fixture(scope="module")
def logs():
    return reference.load()


def of(run):
    return f"coco_2017_zmuvs_avg_{run}"


def test_every_run_of_the_papers_grid_has_its_log(logs):
    grid = {run.name for run in config.Config().top_models if run.preprocess == "zmuvs" and run.pooling == "avg"}
    assert grid <= set(logs)
    assert len(logs) == 45


def test_names_are_spelt_as_ours(logs):
    assert [runs.parse(name).name for name in logs] == list(logs)


@pytest.mark.parametrize(
    ("run", "last_loss", "epochs"),
    [("2x4096d5_lr11_b128", 0.0670, 196), ("1x1024d5_lr11_b128", 0.0704, 173), ("2x4096d5_lr52_b32", 0.0669, 132)],
)
def test_curves_end_where_the_authors_end(logs, run, last_loss, epochs):
    log = logs[of(run)]
    assert round(log["val_loss"].iloc[-1], 4) == last_loss
    assert log["epoch"].tolist() == list(range(epochs))


def test_each_log_is_the_authors_own(logs, shared_data):
    folder = shared_data / "maddox2017"
    files = [*folder.glob("logs/*.csv"), *folder.glob("*.csv")]
    assert len(files) == len(logs)
    for path in files:
        theirs, copy = pd.read_csv(path), logs[runs.parse(path.stem).name]
        assert len(theirs) == len(copy)
        for column in ("loss", "acc", "val_loss", "val_acc"):
            np.testing.assert_allclose(copy[column], theirs[column], atol=5e-9, rtol=0)


def test_time_is_known_for_the_batch_sizes_of_the_figures(logs):
    assert (logs[of("2x4096d5_lr11_b128")]["seconds"] == 11).all()
    assert logs[of("1x1024d5_lr11_b16")]["seconds"].isna().all()


def test_runs_of_both_are_compared_first():
    short = pd.DataFrame({"epoch": [0, 1], "val_loss": [0.4, 0.3], "val_acc": [0.9, 0.9]})
    longer = pd.DataFrame({"epoch": [0, 1, 2], "val_loss": [0.4, 0.2, 0.3], "val_acc": [0.9, 0.9, 0.9]})
    table = reference.best_epochs({"a": short, "b": short}, {"c": short, "b": longer})
    assert table["run"].tolist() == ["b", "c", "a"]
    assert table.loc[0, "difference"] == pytest.approx(0.1)
    assert table.loc[0, ["epochs_ours", "epochs_theirs", "best_epoch_theirs"]].tolist() == [2, 3, 1]
    assert table.loc[1:, "difference"].isna().all()


def test_the_authors_curves_are_drawn_beside_ours_of_the_same_name(logs):
    ours = {of(run): logs[of(run)] for run in ("1x1024d5_lr11_b128", "2x4096d5_lr11_b128")}
    beside = {name: log for name, log in logs.items() if name != of("1x1024d5_lr11_b128")}
    axes = figures.loss_curves(ours, beside=beside, beside_name="theirs").axes[0]
    assert sum(len(line.get_xdata()) == 196 for line in axes.lines) == 2
    assert sum(len(line.get_xdata()) == 173 for line in axes.lines) == 1
    assert "theirs" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_curves_of_unknown_time_are_left_out_of_a_figure_by_time(logs):
    run = of("1x1024d5_lr11_b16")
    axes = figures.loss_curves({run: logs[run].assign(seconds=1.0)}, x="time", beside=logs, beside_name="theirs").axes[
        0
    ]
    assert "theirs" not in [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_panels_of_a_figure_are_saved_by_name(logs, tmp_path):
    run = of("2x4096d5_lr11_b128")
    figures.save_panels({"fig6": {"fig6a": [run], "fig6b": [run]}}, logs, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"fig6a.pdf", "fig6a.png", "fig6b.pdf", "fig6b.png"}
