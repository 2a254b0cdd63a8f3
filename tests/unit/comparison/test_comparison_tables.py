"""The tables say what the metrics, the bootstrap and Holm's method give."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilabel.evaluation import bootstrap
from multilabel.evaluation.all_metrics import evaluate
from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.comparison import protocol, tables
from multilabel.experiments.comparison.protocol import METRICS, Judged
from multilabel.methods import Method, Run

RESAMPLES = {"k": 2, "resamples": 200, "seed": 3}


def judged(name, noise, seeds=1):
    """A method on the same 80 test and 50 validation images; more noise, worse scores."""
    rng = np.random.default_rng(7)
    truth = {"test": rng.random((80, 4)) < 0.4, "val": rng.random((50, 4)) < 0.4}
    found = []
    for seed in range(seeds):
        own = np.random.default_rng([seed, len(name)])
        parts = {
            split: Predictions(np.arange(len(y)), y.astype(np.uint8), y + noise * own.normal(size=y.shape))
            for split, y in truth.items()
        }
        chosen_on = (parts["val"].truth, parts["val"].scores)
        found.append((parts, evaluate(parts["test"].truth, parts["test"].scores, k=2, validation=chosen_on)))
    parts = found[0][0]
    method = Method(name, name.title(), (tuple(Run(f"{name}{seed}") for seed in range(seeds)),), (f"{name}.h5",))
    return Judged(method, 0, parts["test"], parts["val"], [values for _, values in found], 1 - noise)


@pytest.fixture(scope="module")
def found():
    return {"bad": judged("bad", 2.0), "good": judged("good", 0.4, seeds=3), "fair": judged("fair", 0.7)}


@pytest.fixture(scope="module")
def resampled(found):
    return protocol.resampled(found, **RESAMPLES)


def test_quality_has_each_metric_with_its_interval_the_best_method_first(found, resampled):
    table = tables.quality(found, resampled).set_index("name")
    assert list(table.index) == ["good", "fair", "bad"]
    for name, method in found.items():
        for heading, metric in METRICS.items():
            row = table.loc[name]
            assert row[heading] == method.values[metric]
            low, high = bootstrap.interval(resampled[name][metric], method.values[metric])
            assert (row[f"{heading} low"], row[f"{heading} high"]) == (low, high)


def test_mean_and_deviation_are_those_over_seeds_and_empty_for_one(found, resampled):
    table = tables.quality(found, resampled).set_index("name")
    of_seeds = [values["mean_average_precision"] for values in found["good"].seeds]
    assert table.loc["good", "mAP mean"] == pytest.approx(np.mean(of_seeds))
    assert table.loc["good", "mAP std"] == pytest.approx(np.std(of_seeds, ddof=1))
    assert table.loc[["fair", "bad"], "mAP std"].isna().all()


def test_the_best_of_each_column_is_bold_where_less_is_better_the_least(found, resampled):
    shown, bold = tables.quality_as_read(tables.quality(found, resampled))
    assert bold.shape == shown.shape
    for heading in METRICS:
        column = next(number for number, name in enumerate(shown.columns) if name.startswith(f"{heading} "))
        values = shown.iloc[:, column].round(3)
        best = values.min() if heading in protocol.LESS_IS_BETTER else values.max()
        assert bold[:, column].tolist() == (values == best).tolist()


def test_differences_are_those_of_the_paired_bootstrap(found, resampled):
    table = tables.differences(found, resampled, "good")
    runs = {name: (method.test, method.validation) for name, method in found.items()}
    pairs = [("bad", "good"), ("fair", "good")]
    expected = bootstrap.comparisons(runs, pairs, k=2, n=200, seed=3)
    for metric in ("mAP",):
        ours = table[table["metric"] == metric].set_index("name")
        theirs = expected[expected["metric"] == metric].set_index("run")
        for column in ("difference", "low", "high", "p"):
            assert ours[column].to_dict() == theirs[column].to_dict()


def test_p_values_are_adjusted_over_the_methods_of_each_metric(found, resampled):
    table = tables.differences(found, resampled, "good")
    for _, rows in table.groupby("metric"):
        smaller, larger = sorted(rows["p"])
        assert sorted(rows["p adjusted"]) == pytest.approx([min(1, 2 * smaller), max(min(1, 2 * smaller), larger)])
    assert (table["told apart"] == (table["p adjusted"] < 0.05)).all()


def test_holm_is_holms_step_down_method_by_hand():
    assert bootstrap.holm([0.02, 0.001, 0.04, 0.5]).tolist() == pytest.approx([0.06, 0.004, 0.08, 0.5])


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_front_is_what_no_other_point_beats(points):
    cost, gain = np.array(points, float).T
    expected = [not any((c <= a and g >= b) and (c < a or g > b) for c, g in points) for a, b in points]
    assert tables.pareto(cost, gain).tolist() == expected


def test_what_has_no_cost_is_not_on_the_front_and_beats_nothing():
    assert tables.pareto([np.nan, 1.0], [0.9, 0.5]).tolist() == [False, True]


def test_classes_are_sorted_by_training_images(found):
    table = tables.per_class(found, ["a", "b", "c", "d"], np.array([5, 9, 1, 9]))
    assert table["class"].tolist() == ["b", "d", "a", "c"]
    assert table["test images"].sum() == found["bad"].test.truth.sum()


def test_by_size_ends_with_all_images_and_the_methods_own_map(found):
    half = found["fair"].test
    table = tables.by_size(found, {"fair": {40: half, 900: half}}, images=100)
    assert table["images"].tolist() == [40, 100]
    assert table["mAP"].iloc[-1] == found["fair"].values["mean_average_precision"]
    assert isinstance(table, pd.DataFrame)
