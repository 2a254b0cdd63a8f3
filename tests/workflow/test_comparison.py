"""Every method on one dataset: the numbers are those of the experiments' own tables."""

import json

import pandas as pd
import pytest
import yaml

from multilabel.evaluation import predictions
from multilabel.experiments.comparison.protocol import METRICS

from .conftest import SMALLEST, copy_project, dry_run, planned, run_snakemake

RESULTS = "results/shapes_smallest"
LEAST = 10
"""Methods that the demo compares at least."""
TRAINING = ("top_models", "finetune", "designs", "single_positive", "query2label")
"""How names of rules begin that train what other methods need."""


@pytest.fixture(scope="module")
def results(finished):
    return finished / RESULTS


@pytest.fixture(scope="module")
def rows(results):
    return pd.read_csv(results / "comparison/quality.csv").set_index("name")


@pytest.fixture(scope="module")
def chosen(results):
    return json.loads((results / "comparison/chosen.json").read_text())


def test_every_experiment_has_its_methods_in_the_table(rows, chosen):
    assert set(rows.index) == set(chosen["methods"])
    assert len(rows) >= LEAST
    assert {"fine_tuned", "l1", "model1", "single_role", "query2label", "frequencies"} <= set(rows.index)
    assert chosen["left_out"] == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *((name, "") for name in ("one_vs_rest", "top_model", "fine_tuned")),
        *((name, "designs/") for name in ("model1", "model2", "model3")),
        *((name, "query2label/") for name in ("query2label", "pooled")),
    ],
)
def test_a_row_has_the_numbers_of_the_experiments_own_metrics(results, rows, chosen, name, place):
    run = chosen["methods"][name]["run"]
    own = json.loads((results / f"{place}metrics/{run}.json").read_text())
    for heading, metric in METRICS.items():
        assert rows.loc[name, heading] == pytest.approx(own[metric], abs=1e-12), heading


@pytest.mark.parametrize("loss", ["an", "epr", "role"])
def test_a_row_of_single_positive_labels_has_the_map_of_its_own_table(results, rows, chosen, loss):
    own = pd.read_csv(results / "single_positive/metrics.csv")
    own = own[(own["mode"] == "linear") & (own["loss"] == loss) & (own["observed"].astype(str) == "1")]
    assert rows.loc[f"single_{loss}", "mAP"] == pytest.approx(own["mAP"].iloc[0] / 100, abs=1e-9)
    assert rows.loc[f"single_{loss}", "mAP mean"] == pytest.approx(own["mAP"].mean() / 100, abs=1e-9)


def test_the_fine_tuned_run_is_the_final_model(results, chosen):
    assert chosen["methods"]["fine_tuned"]["run"] == json.loads((results / "final_model.json").read_text())["run"]


def test_label_frequencies_score_all_images_alike(results):
    _, scores = predictions.load(results / "comparison/predictions/frequencies/test.h5")
    assert (scores == scores[0]).all()


def test_each_method_has_its_costs_and_the_model_file_that_was_timed(results, rows, chosen):
    costs = pd.read_csv(results / "comparison/timing/tables/cost.csv").set_index("name")
    assert list(costs.index) == list(rows.index)
    assert (costs["ms per image"] > 0).all()
    for name, entry in chosen["methods"].items():
        assert costs.loc[name, "file MB"] == pytest.approx((results / entry["model"]).stat().st_size / 1e6)
    trained = costs.drop(index="frequencies")
    assert (trained[["training s", "training MB", "trained parameters"]] > 0).all(axis=None)
    one, many = costs.loc["single_role", "positive labels"], costs.loc["top_model", "positive labels"]
    assert 0 < one < many


def with_methods(folder, *names):
    """The smallest demo's configuration with some methods."""
    content = yaml.safe_load(SMALLEST.read_text()) | {"comparison": {"methods": list(names)}}
    (folder / "methods.yaml").write_text(yaml.safe_dump(content))
    return folder / "methods.yaml"


def test_the_named_methods_alone_are_trained(tmp_path):
    folder = copy_project(tmp_path / "project")
    jobs = planned(folder, "--", "comparison", config=with_methods(tmp_path, "frequencies", "one_vs_rest"))
    assert jobs["independent"] == 1
    assert not [rule for rule in jobs if rule.startswith(TRAINING)]


def test_an_unknown_method_is_named_with_those_that_are_near(tmp_path):
    folder = copy_project(tmp_path / "project")
    result = dry_run(folder, "--", "comparison", config=with_methods(tmp_path, "fine_tune"))
    assert result.returncode != 0
    assert "comparison.methods: no such method: fine_tune; near: fine_tuned" in result.stdout


def test_without_validation_images_of_its_own_the_target_says_what_it_needs(tmp_path):
    folder = copy_project(tmp_path / "project")
    content = yaml.safe_load(SMALLEST.read_text())
    content["dataset"]["validation"]["fraction"] = 0.0
    (folder / "flattering.yaml").write_text(yaml.safe_dump(content))
    result = run_snakemake(folder, "--", "comparison", config="flattering.yaml")
    assert result.returncode != 0
    assert "set dataset.validation.fraction above 0" in result.stdout
    assert not (folder / RESULTS / "top_models").exists()
