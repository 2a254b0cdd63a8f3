import numpy as np
import pandas as pd
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, metrics
from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.designs import figures, names, report, reproduction, tables
from multilabel.experiments.designs.tables import Evaluated
from multilabel.report import verdicts

CLASSES = ("often", "seldom", "rare", "common")
TITLES = {name: loss.title for name, loss in names.LOSSES.items()}


def predicted(seed, strength=1.0, n=80):
    truth_rng, rng = np.random.default_rng(0), np.random.default_rng(seed)

    def part(count):
        truth = (truth_rng.random((count, 4)) < [0.6, 0.2, 0.1, 0.5]).astype(np.uint8)
        truth[~truth.any(axis=1), 0] = 1
        scores = 1 / (1 + np.exp(-rng.normal(size=truth.shape) - strength * (truth - 0.5)))
        return Predictions(np.arange(count), truth, scores.astype(np.float32))

    return Evaluated(part(n), part(n))


@pytest.fixture
def found():
    return {"model1": predicted(1), "model2": predicted(2), "model3": predicted(3, 2.0)}


@pytest.fixture
def costs():
    def cost(networks, factor):
        ways = ("predict_1", "calls_1", "one_call_1", "calls_32", "one_call_32")
        return {"networks": networks, "parameters": 100, "bytes": 400 * networks, "memory": 1} | dict.fromkeys(
            ways, factor
        )

    return {"model1": cost(4, 40.0), "model2": cost(4, 30.0), "model3": cost(1, 10.0)}


def test_each_class_has_accuracy_recall_and_precision_of_its_own(found):
    table = tables.per_class(found, CLASSES)
    row = table[(table["class"] == "rare") & (table["design"] == "model3")].iloc[0]
    truth, scores = found["model3"].test.truth[:, 2], found["model3"].test.scores[:, 2]
    assert row["images"] == truth.sum()
    assert row["predicted"] == (scores >= 0.5).sum()
    assert row["accuracy"] == pytest.approx(((scores >= 0.5) == truth).mean())
    assert row["recall"] == pytest.approx((scores[truth == 1] >= 0.5).mean())
    assert row["average precision"] == pytest.approx(
        metrics.average_precision_per_class(truth[:, None], scores[:, None])[0]
    )


def test_ignored_pairs_count_in_no_class(found):
    test = found["model1"].test
    mask = np.zeros(test.truth.shape, bool)
    mask[:40, 1] = True
    masked = test._replace(truth=np.ma.masked_array(test.truth, mask))
    row = tables.per_class({"model1": found["model1"]._replace(test=masked)}, CLASSES).iloc[1]
    kept = test.truth[40:, 1], test.scores[40:, 1] >= 0.5
    assert (row["images"], row["predicted"]) == (kept[0].sum(), kept[1].sum())
    assert row["accuracy"] == pytest.approx((kept[0] == kept[1]).mean())


def test_section_7_has_a_column_for_each_design(found, costs):
    table = tables.comparison(found, CLASSES, costs, {"model1": 9.0, "model2": 8.0, "model3": 7.0})
    assert list(table) == ["Model 1", "Model 2", "Model 3"]
    assert table.loc["Training time (s)"].tolist() == [9, 8, 7]
    assert table.loc["mAP", "Model 2"] == metrics.mean_average_precision(*found["model2"].test[1:])


def test_thresholds_come_from_validation_images(found):
    test, validation = found["model3"]
    expected = all_metrics.evaluate(test.truth, test.scores, k=1, validation=(validation.truth, validation.scores))
    assert found["model3"].metrics() == expected
    flipped = found["model3"]._replace(validation=validation._replace(scores=1 - validation.scores))
    assert flipped.metrics() != expected


def test_classes_below_the_median_are_rare():
    assert tables.rare_classes(np.array([5, 1, 2, 9])).tolist() == [False, True, True, False]


def test_the_ablation_compares_on_the_same_images():
    by_loss = {"sigmoid_bce": predicted(3), "focal": predicted(4, 2.5)}
    table = tables.ablation(by_loss, np.array([False, True, True, False]), against="sigmoid_bce", n=100, seed=0)
    assert table.groupby(["loss", "classes"]).size().tolist() == [3] * 6
    row = table.set_index(["loss", "classes", "metric"]).loc[("focal", "rare", "mAP")]
    own, plain = (
        metrics.mean_average_precision(part.test.truth[:, 1:3], part.test.scores[:, 1:3])
        for part in (by_loss["focal"], by_loss["sigmoid_bce"])
    )
    assert row["value"] == pytest.approx(own)
    assert row["difference"] == pytest.approx(own - plain)
    assert row["low"] < own < row["high"]
    assert 0 < row["difference low"] < row["difference"] < row["difference high"]
    shown = tables.ablation_as_read(table, TITLES)
    assert shown.index.tolist() == ["sigmoid, binary cross-entropy", "focal loss"]
    assert shown.loc["focal loss", "mAP, rare"].endswith("*")
    figures.ablation(table, TITLES, ["focal"])


def test_the_forums_table_has_means_and_deviations_over_seeds():
    table = tables.outputs(
        [("features", "softmax", [predicted(1), predicted(2)]), ("Model 3", "per_label", [predicted(3)])]
    )
    values = [metrics.mean_average_precision(*predicted(seed).test[1:]) for seed in (1, 2)]
    assert table.loc[0, "mAP"] == pytest.approx(np.mean(values))
    assert table.loc[0, "mAP std"] == pytest.approx(np.std(values, ddof=1))
    shown = tables.outputs_as_read(table)
    assert shown["output"].tolist() == ["softmax, labels divided by their number", "one network per label"]
    assert "±" in shown.loc[0, "mAP"]
    assert "±" not in shown.loc[1, "mAP"]


def test_label_frequencies_score_each_image_alike(found):
    known = tables.frequencies(np.array([6, 2, 1, 5]), 10, found["model1"].test)
    assert (known.scores == np.float32([0.6, 0.2, 0.1, 0.5])).all()


# --- the tutorial against ours


@pytest.fixture
def page(found, costs):
    def page(counts=None, *, comparable=True, **changes):
        counts = counts or dict(zip(CLASSES, (60, 20, 10, 50), strict=True))
        options = {
            "by_class": tables.per_class(found, CLASSES),
            "costs": costs,
            "seconds": {"model1": 9.0, "model2": 8.0, "model3": 7.0},
            "mean_ap": {"model1": 0.5, "model2": 0.4, "model3": 0.6},
            "log": pd.DataFrame({"val_loss": [0.6, 0.5328], "val_acc": [0.5, 0.7456]}),
            "thresholds": [0.5, 0.4, 0.3, 0.45],
            "ablation": tables.ablation(
                {"sigmoid_bce": found["model3"], "focal": predicted(4, 5.0)}, np.array([0, 1, 1, 0], bool),
                against="sigmoid_bce", n=100, seed=0,
            ),
        }  # fmt: skip
        return {row.what: row for row in reproduction.page(counts, 100, comparable=comparable, **options | changes)}

    return page


def test_sizes_are_counted_from_the_layers_of_the_tutorial(page):
    row = page()["Model 1: size (MB)"]
    assert row.ours == pytest.approx(20 * 17_400_865 * 4 / 1e6)
    assert row.verdict == verdicts.NOT
    assert page()["Model 2: size (MB)"].ours == pytest.approx((20 * (17_334_784 + 513) + 65_568) * 4 / 1e6)
    assert page()["Model 3: size (MB)"].ours == pytest.approx(17_410_612 * 4 / 1e6)


def test_counts_of_the_real_dataset_are_reproduced(page):
    counts = reproduction.published()["dataset"]["classes"]
    rows = page(counts, thresholds=[0.5 - number / 100 for number in range(20)])
    assert rows["images with sheep"].verdict == verdicts.REPRODUCED
    assert rows["positive pairs"].ours == 7913
    assert rows["most frequent over least frequent class"].verdict == verdicts.REPRODUCED
    assert rows["images"].verdict == verdicts.NOT


def test_measured_numbers_of_another_size_are_not_judged(page):
    assert page(comparable=False)["Model 3: last validation loss"].verdict == verdicts.OTHER_SIZE
    assert page()["Model 3: last validation loss"].verdict == verdicts.REPRODUCED


def test_what_the_tutorial_says_is_judged_at_any_size(page):
    rows = page(comparable=False)
    assert rows["Model 3 trains fastest"].verdict == verdicts.REPRODUCED
    assert rows["Model 3 is about as good as Model 1"].verdict == verdicts.REPRODUCED
    assert rows["Model 2 is more accurate than Model 1"].why.endswith("0.400 and 0.500 mAP")
    assert rows["focal loss helps rare classes"].verdict == verdicts.REPRODUCED
    assert rows["class weights help rare classes"].verdict == verdicts.NOT_RUN


def test_thresholds_that_fall_with_rareness_are_against_the_tutorial(page):
    assert page()["rare classes need higher thresholds than frequent ones"].verdict == verdicts.NOT
    counts = {f"class {number}": number for number in range(1, 9)}
    rising = page(counts, thresholds=[0.9 - 0.1 * number for number in range(8)])
    assert rising["rare classes need higher thresholds than frequent ones"].verdict == verdicts.REPRODUCED


def test_a_number_in_a_range_is_within_it():
    assert reproduction.in_range("a", (1, 2), 1.5).verdict == verdicts.REPRODUCED
    row = reproduction.in_range("a", (1000, 2000), 2500.0)
    assert (row.published, row.difference, row.verdict) == ("1,000–2,000", 500, verdicts.NOT)


def test_ticks_of_costs_are_numbers(costs):
    mean_ap = dict.fromkeys(names.DESIGNS, (0.5, 0.4, 0.6))
    seconds = dict(zip(names.DESIGNS, (300.0, 20.0, 4.0), strict=True))
    drawn = figures.quality_and_cost(mean_ap, costs, seconds, 0.2)
    drawn.canvas.draw()
    ticks = [tick.get_text() for axes in drawn.axes for tick in axes.get_xticklabels()]
    assert {"10", "100"} <= set(ticks)
    assert not [tick for tick in ticks if "$" in tick]


def test_the_whole_report_is_written(found, costs, tmp_path):
    labels = {
        split: LabelMatrix(np.arange(80), [f"{row}.jpg" for row in range(80)], CLASSES, found["model1"].test.truth)
        for split in ("train", "val", "test")
    }
    models = found | {names.run_of(loss): predicted(9) for loss in ("softmax", "focal")}
    results = report.Results(labels, models)
    stems = {
        name: tmp_path / name
        for name in ("classes", "ablation", "outputs", "scores", "rare", "comparison", "reproduction", "cost")
    }
    options = {"dataset": "toys", "resamples": 100, "seed": 0}
    features = {"sigmoid_bce": [predicted(5), predicted(6)], "per_label": [predicted(7), predicted(8)]}
    report.write_quality(results, features, stems, tmp_path / "differences.csv", **options)
    seconds = report.seconds_of({})
    seconds = {"model1": 9.0, "model2": 8.0, "model3": 7.0} | seconds
    log = pd.DataFrame({"val_loss": [0.5], "val_acc": [0.9]})
    differences = pd.read_csv(tmp_path / "differences.csv")
    report.write_costs(results, costs, seconds, log, differences, stems, comparable=False, **options)
    made = {path.stem for path in tmp_path.glob("*.*")}
    assert made == {*stems, "differences"}
    assert "| mAP " in (tmp_path / "comparison.md").read_text()
