"""The target `single_positive` on the smallest demo."""

import pandas as pd

from .conftest import planned

RESULTS = "results/shapes_smallest/single_positive"


def test_every_table_and_figure_is_there(finished):
    made = {path.name for path in (finished / RESULTS).glob("*/*.*") if path.parent.name != "labels"}
    tables = {
        f"{name}.{suffix}"
        for name in ("table2", "losses", "observed", "recovery")
        for suffix in ("csv", "md", "tex", "html")
    }
    figures = {f"{name}.{suffix}" for name in ("fig1", "fig2", "search", "observed") for suffix in ("pdf", "png")}
    assert tables | figures <= made


def test_each_study_has_metrics_of_each_seed(finished):
    table = pd.read_csv(finished / RESULTS / "metrics.csv")
    linear = table[(table["mode"] == "linear") & (table["observed"] == "1")]
    assert linear.groupby("loss").size().to_dict() == dict.fromkeys(linear["loss"], 2)
    assert set(table["mode"]) == {"linear", "end_to_end", "linear_init"}
    assert table.notna().to_numpy().all()


def test_scored_images_are_whole_batches(finished):
    table = pd.read_csv(finished / RESULTS / "metrics.csv")
    assert (table.loc[table["mode"] == "linear", "images"] % 8 == 0).all()


def test_nothing_of_a_run_is_left_over(finished):
    assert not list((finished / RESULTS).rglob(".*"))


def test_a_second_call_has_nothing_to_do(finished):
    assert planned(finished, "single_positive") == {}
