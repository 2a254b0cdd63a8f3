"""The target `single_positive` on the smallest demo."""

import pandas as pd
import pytest
import yaml

from multilabel import config as configuration
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive.methods import methods
from multilabel.methods import Method
from stages import merged

from .conftest import ROOT, SMALLEST, copy_project, planned

DATASET = "results/shapes_smallest"
RESULTS = f"{DATASET}/single_positive"


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


def test_all_labelled_test_images_are_scored_where_the_last_batch_counts(finished):
    labelled = LabelMatrix.load(finished / DATASET / "labels/test.h5").labels.any(axis=1).sum()
    assert (pd.read_csv(finished / RESULTS / "metrics.csv")["images"] == labelled).all()


def test_each_run_and_each_chosen_one_has_what_it_took(finished):
    folder = finished / RESULTS
    runs = {path.parent.name for kind in ("runs", "chosen") for path in (folder / kind).glob("*/run.json")}
    assert {path.stem for path in (folder / "timing").iterdir()} == runs
    assert {path.name for path in (folder / "predictions/linear_an_o1_s1").iterdir()} == {"val.h5", "test.h5"}


def test_nothing_of_a_run_is_left_over(finished):
    assert not list((finished / RESULTS).rglob(".*"))


def test_a_second_call_has_nothing_to_do(finished):
    assert planned(finished, "single_positive") == {}


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """A project without results, and the smallest demo with validation images of its own."""
    folder = copy_project(tmp_path_factory.mktemp("split") / "project")
    content = merged(yaml.safe_load(SMALLEST.read_text()), {"dataset": {"validation": {"fraction": 0.2}}})
    (folder / "split.yaml").write_text(yaml.safe_dump(content))
    paper = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return folder, configuration.load(merged(paper, content))


def test_all_that_is_offered_for_comparison_is_made(split):
    folder, config = split
    wanted = []
    for method in methods(config):
        assert isinstance(method, Method)
        for run in method.candidates[0]:
            wanted += [
                run.record,
                *run.timing,
                run.scores("val"),
                run.scores("test"),
                f"single_positive/metrics/{run.name}.json",
            ]
        wanted += method.models
    jobs = planned(folder, *(f"{DATASET}/{path}" for path in wanted), config="split.yaml")
    assert (jobs["metrics"], jobs["single_positive_model"], jobs["features"]) == (7, 4, 3)
