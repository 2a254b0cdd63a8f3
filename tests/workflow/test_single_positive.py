"""The target `single_positive` on the smallest demo."""

import pandas as pd
import pytest

from .conftest import copy_project, planned, results_of, run_snakemake

RESULTS = "results/shapes_smallest/single_positive"


@pytest.fixture(scope="module")
def finished_single_positive(finished, tmp_path_factory):
    """The finished smallest demo, in which `single_positive` was run too."""
    folder = copy_project(tmp_path_factory.mktemp("single_positive") / "project", finished, "results", ".snakemake")
    result = run_snakemake(folder, "--", "single_positive")
    assert result.returncode == 0, result.stdout
    return folder


def test_every_table_and_figure_is_there(finished_single_positive):
    made = {path.name for path in (finished_single_positive / RESULTS).glob("*/*.*") if path.parent.name != "labels"}
    tables = {
        f"{name}.{suffix}"
        for name in ("table2", "losses", "observed", "recovery")
        for suffix in ("csv", "md", "tex", "html")
    }
    figures = {f"{name}.{suffix}" for name in ("fig1", "fig2", "search", "observed") for suffix in ("pdf", "png")}
    assert tables | figures <= made


def test_each_study_has_metrics_of_each_seed(finished_single_positive):
    table = pd.read_csv(finished_single_positive / RESULTS / "metrics.csv")
    linear = table[(table["mode"] == "linear") & (table["observed"] == "1")]
    assert linear.groupby("loss").size().to_dict() == dict.fromkeys(linear["loss"], 2)
    assert set(table["mode"]) == {"linear", "end_to_end", "linear_init"}
    assert table.notna().to_numpy().all()


def test_scored_images_are_whole_batches(finished_single_positive):
    table = pd.read_csv(finished_single_positive / RESULTS / "metrics.csv")
    assert (table.loc[table["mode"] == "linear", "images"] % 8 == 0).all()


def test_nothing_of_a_run_is_left_over(finished_single_positive):
    assert not list((finished_single_positive / RESULTS).rglob(".*"))


def test_a_second_call_has_nothing_to_do(finished_single_positive):
    assert planned(finished_single_positive, "single_positive") == {}


def test_training_again_ends_in_the_same_bytes(finished_single_positive, tmp_path):
    folder = copy_project(tmp_path / "project", finished_single_positive, "results", ".snakemake")
    result = run_snakemake(folder, "--forcerun", "single_positive_labels", "--", "single_positive")
    assert result.returncode == 0, result.stdout
    assert results_of(folder) == results_of(finished_single_positive)
