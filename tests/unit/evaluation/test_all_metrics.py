import json

import numpy as np
import pytest

from multilabel.evaluation import decisions, metrics, names
from multilabel.evaluation.all_metrics import evaluate

DECISIONS = (
    "top_k",
    "top_k_per_image",
    "cardinality_threshold",
    "cardinality_threshold_per_class",
    "fixed_threshold",
)


@pytest.fixture
def run():
    """Truth and scores of 60 images with 12 labels, the scores better than chance."""
    rng = np.random.default_rng(0)
    truth = (rng.random((60, 12)) < 0.2).astype(np.uint8)
    return truth, (0.3 * truth + rng.random(truth.shape)).astype(np.float32)


def test_every_decision_has_every_metric(run):
    names = {f"{average}_{name}" for average in metrics.AXES for name in metrics.PrecisionRecallF1._fields}
    names |= {"jaccard", "subset_zero_one_loss", "hamming_loss"}
    assert {f"{decision}_{name}" for decision in DECISIONS for name in names} <= evaluate(*run).keys()


def test_the_list_of_names_is_whole(run):
    assert evaluate(*run).keys() == {*names.BETTER, *names.OTHERS}


def test_perfect_scores_have_the_highest_value_of_every_metric_of_which_more_is_better(run):
    """And of no loss."""
    truth, scores = run
    perfect, ours = evaluate(truth, truth.astype(np.float32)), evaluate(truth, scores)
    assert [name for name in names.BETTER if perfect[name] < ours[name]] == []
    losses = [name for name in names.OTHERS if name not in ("label_cardinality", "cardinality_threshold_tau")]
    assert [name for name in losses if perfect[name] > ours[name]] == []


def test_every_metric_of_ranking_is_there_under_the_name_of_its_function(run):
    result = evaluate(*run)
    for name in (
        "mean_average_precision",
        "image_average_precision",
        "voc_mean_average_precision",
        "coverage",
        "one_error",
        "ranking_loss",
    ):
        assert result[name] == getattr(metrics, name)(*run)


def test_values_are_plain_floats_that_json_holds(run):
    result = evaluate(*run)
    assert all(type(value) is float for value in result.values())
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_values_follow_from_the_decisions(run):
    truth, scores = run
    result = evaluate(truth, scores, k=2)
    tau = decisions.cardinality_thresholds(scores, truth)
    assert result["top_k_micro_f1"] == metrics.precision_recall_f1(truth, decisions.top_k(scores, 2), "micro").f1
    assert result["cardinality_threshold_per_class_jaccard"] == metrics.jaccard(truth, decisions.threshold(scores, tau))
    assert result["fixed_threshold_hamming_loss"] == metrics.hamming_loss(truth, scores >= 0.5)


def test_the_global_threshold_that_was_found_is_there(run):
    truth, scores = run
    assert evaluate(truth, scores)["cardinality_threshold_tau"] == decisions.cardinality_threshold(scores, truth)


def test_thresholds_are_chosen_on_the_validation_arrays_where_given(run):
    truth, scores = run
    result = evaluate(truth[:20], scores[:20], validation=(truth[20:], scores[20:]))
    tau = decisions.cardinality_threshold(scores[20:], truth[20:])
    expected = metrics.precision_recall_f1(truth[:20], decisions.threshold(scores[:20], tau), "macro").f1
    assert result["cardinality_threshold_tau"] == tau
    assert result["cardinality_threshold_macro_f1"] == expected


def test_validation_arrays_of_other_classes_are_an_error(run):
    truth, scores = run
    with pytest.raises(ValueError, match="one for each of 12 classes"):
        evaluate(truth, scores, validation=(truth[:, :5], scores[:, :5]))


def test_no_images_are_an_error(run):
    with pytest.raises(ValueError, match="expected at least one image"):
        evaluate(np.zeros((0, 12)), np.zeros((0, 12)), validation=run)
