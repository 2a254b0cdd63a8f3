import re
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from multilabel.evaluation import decisions, metrics

AVERAGES = {"macro": "macro", "micro": "micro", "instance": "samples"}  # ours: scikit-learn's
BY_RANKING = [
    metrics.average_precision_per_class,
    metrics.mean_average_precision,
    metrics.image_average_precision,
    metrics.voc_mean_average_precision,
    lambda truth, scores: metrics.voc_mean_average_precision(truth, scores, eleven_points=True),
    metrics.coverage,
    metrics.one_error,
    metrics.ranking_loss,
]
BY_DECISION = [
    *(lambda y, z, a=a: metrics.precision_recall_f1(y, z, average=a) for a in AVERAGES),
    *(lambda y, z, a=a: metrics.jaccard(y, z, average=a) for a in AVERAGES),
    metrics.subset_zero_one_loss,
    metrics.hamming_loss,
]


# scikit-learn takes a matrix of one column for binary labels and not for multi-label ones, so two at least.
shapes = st.tuples(st.integers(1, 30), st.integers(2, 7))


def matrices(shape):
    """Labels: dense, sparse, none or all, with empty rows and columns."""
    density = st.sampled_from([0, 10, 50, 90, 100])
    return density.flatmap(lambda d: hnp.arrays(np.uint8, shape, elements=st.integers(0, 99).map(lambda n: int(n < d))))


def score_matrices(shape):
    """Scores: mostly different, tied, constant, negative, very small; of either precision."""
    elements = st.sampled_from(
        [
            st.floats(0, 1, width=32),
            st.floats(-50, 50, width=32),
            st.integers(0, 3).map(lambda n: n / 8),
            st.just(0.5),
            st.sampled_from([0.0, -0.0, 1e-30, 2e-30, 1.0]),
        ]
    )
    dtype = st.sampled_from([np.float32, np.float64])
    return st.tuples(dtype, elements).flatmap(lambda drawn: hnp.arrays(drawn[0], shape, elements=drawn[1]))


truth_and_predicted = shapes.flatmap(lambda shape: st.tuples(matrices(shape), matrices(shape)))
truth_and_scores = shapes.flatmap(lambda shape: st.tuples(matrices(shape), score_matrices(shape)))


def equals(expected):
    return pytest.approx(expected, rel=0, abs=1e-9)


def of_sklearn(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of classes and images without labels
        return function(*arguments, **options)


@pytest.mark.parametrize("average", AVERAGES)
@given(example=truth_and_predicted)
def test_precision_recall_and_f1_equal_those_of_scikit_learn(example, average):
    expected = of_sklearn(sk.precision_recall_fscore_support, *example, average=AVERAGES[average], zero_division=0)[:3]
    assert metrics.precision_recall_f1(*example, average=average) == equals(expected)


@pytest.mark.parametrize("average", AVERAGES)
@given(example=truth_and_predicted)
def test_jaccard_equals_that_of_scikit_learn(example, average):
    expected = of_sklearn(sk.jaccard_score, *example, average=AVERAGES[average], zero_division=0)
    assert metrics.jaccard(*example, average=average) == equals(expected)


@given(truth_and_predicted)
def test_subset_loss_equals_that_of_scikit_learn(example):
    assert metrics.subset_zero_one_loss(*example) == equals(of_sklearn(sk.zero_one_loss, *example))


@given(truth_and_predicted)
def test_hamming_loss_equals_that_of_scikit_learn(example):
    assert metrics.hamming_loss(*example) == equals(of_sklearn(sk.hamming_loss, *example))


@given(truth_and_scores)
def test_average_precision_per_class_equals_that_of_scikit_learn(example):
    truth, scores = example
    expected = [of_sklearn(sk.average_precision_score, y, h) for y, h in zip(truth.T, scores.T, strict=True)]
    assert metrics.average_precision_per_class(truth, scores) == equals(expected)


@given(truth_and_scores)
def test_mean_average_precision_equals_that_of_scikit_learn(example):
    assert metrics.mean_average_precision(*example) == equals(of_sklearn(sk.average_precision_score, *example))


@given(truth_and_scores)
def test_image_average_precision_equals_label_ranking_average_precision_of_scikit_learn(example):
    expected = of_sklearn(sk.label_ranking_average_precision_score, *example)
    assert metrics.image_average_precision(*example) == equals(expected)


@given(truth_and_scores)
def test_ranking_loss_equals_that_of_scikit_learn(example):
    assert metrics.ranking_loss(*example) == equals(of_sklearn(sk.label_ranking_loss, *example))


@given(truth_and_scores)
def test_coverage_equals_that_of_scikit_learn_from_0_as_a_share(example):
    truth, scores = example
    labelled = truth.any(axis=1)
    passed = of_sklearn(sk.coverage_error, truth, scores) - labelled.mean()  # an image without labels counts 0 in both
    assert metrics.coverage(truth, scores) == equals(passed / truth.shape[1])


def interpolated_average_precision(y, h, recalls):
    """PASCAL VOC's definition, read literally: the best precision at a recall or any higher."""
    if not y.any():
        return 0
    points = [(Fraction(int(y[h >= tau].sum()), int(y.sum())), y[h >= tau].mean()) for tau in np.unique(h)]
    return np.mean([max(precision for recall, precision in points if recall >= wanted) for wanted in recalls(y)])


@given(truth_and_scores)
def test_voc_average_precision_is_the_area_under_the_envelope(example):
    def every_recall(y):
        return [Fraction(n, int(y.sum())) for n in range(1, int(y.sum()) + 1)]

    truth, scores = example
    expected = [interpolated_average_precision(y, h, every_recall) for y, h in zip(truth.T, scores.T, strict=True)]
    assert metrics.voc_mean_average_precision(truth, scores) == equals(np.mean(expected))


@given(truth_and_scores)
def test_voc_average_precision_of_2007_is_the_mean_at_eleven_recalls(example):
    def eleven_recalls(y):
        return [Fraction(n, 10) for n in range(11)]

    truth, scores = example
    expected = [interpolated_average_precision(y, h, eleven_recalls) for y, h in zip(truth.T, scores.T, strict=True)]
    assert metrics.voc_mean_average_precision(truth, scores, eleven_points=True) == equals(np.mean(expected))


@given(truth_and_scores)
def test_one_error_counts_images_where_a_false_label_has_the_highest_score(example):
    truth, scores = example
    wrong = [y.any() and not y[h == h.max()].all() for y, h in zip(truth, scores, strict=True)]
    assert metrics.one_error(truth, scores) == equals(np.mean(wrong))


@given(truth_and_scores)
def test_metrics_by_ranking_are_shares(example):
    for metric in BY_RANKING:
        assert np.all((np.asarray(metric(*example)) >= 0) & (np.asarray(metric(*example)) <= 1))


# One image of three labels, two of them true, and predictions that find one of the two and one other.
TRUTH, PREDICTED = [[1, 1, 0]], [[1, 0, 1]]


def test_micro_precision_recall_and_f1_equal_the_worked_case():
    truth, predicted = [[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [1, 1, 1]]
    assert metrics.precision_recall_f1(truth, predicted, "micro") == equals((2 / 4, 2 / 3, 4 / 7))


def test_macro_f1_is_the_mean_of_the_classes_and_not_the_harmonic_mean():
    assert metrics.precision_recall_f1(TRUTH, PREDICTED, "macro") == equals((1 / 3, 1 / 3, 1 / 3))
    truth, predicted = [[1, 0], [1, 0], [0, 1]], [[1, 0], [0, 0], [0, 1]]
    assert metrics.precision_recall_f1(truth, predicted, "macro") == equals((1, 3 / 4, (2 / 3 + 1) / 2))


def test_precision_divides_by_predicted_and_recall_by_true_labels():
    result = metrics.precision_recall_f1([[1, 0, 0, 0]], [[1, 1, 1, 1]], "instance")
    assert (result.precision, result.recall) == (0.25, 1)


def test_jaccard_subset_and_hamming_equal_the_worked_case():
    assert metrics.jaccard(TRUTH, PREDICTED) == equals(1 / 3)
    assert metrics.subset_zero_one_loss(TRUTH, PREDICTED) == 1
    assert metrics.hamming_loss(TRUTH, PREDICTED) == equals(2 / 3)


def test_average_precision_equals_the_worked_case():
    truth = np.array([[1], [0], [1], [0]])
    assert metrics.mean_average_precision(truth, [[0.9], [0.8], [0.7], [0.6]]) == equals((1 + 2 / 3) / 2)


def test_average_precision_of_equal_scores_is_the_share_of_the_class():
    truth = np.array([[1], [0], [0], [1], [0]])
    assert metrics.mean_average_precision(truth, np.full((5, 1), 0.5)) == equals(2 / 5)


def test_voc_average_precision_takes_the_best_precision_at_any_higher_recall():
    truth, scores = np.array([[0], [1], [1]]), np.array([[0.9], [0.8], [0.7]])  # precisions 1/2 and 2/3
    assert metrics.mean_average_precision(truth, scores) == equals((1 / 2 + 2 / 3) / 2)
    assert metrics.voc_mean_average_precision(truth, scores) == equals(2 / 3)


def test_eleven_points_count_a_recall_of_three_tenths_as_reached():
    # Three of ten images stand first, the others after 90 wrong ones: recalls 0, 0.1, 0.2 and 0.3 have precision 1.
    truth = np.array([1] * 3 + [0] * 90 + [1] * 7)[:, np.newaxis]
    scores = -np.arange(100.0)[:, np.newaxis]
    expected = (4 * 1 + 7 * 10 / 100) / 11
    assert metrics.voc_mean_average_precision(truth, scores, eleven_points=True) == equals(expected)


def test_ranking_losses_equal_the_worked_case():
    truth, scores = [[0, 1, 0, 1, 0]], [[0.9, 0.8, 0.7, 0.6, 0.5]]
    assert metrics.coverage(truth, scores) == equals(3 / 5)
    assert metrics.one_error(truth, scores) == 1
    assert metrics.ranking_loss(truth, scores) == equals((1 + 2) / 6)
    assert metrics.image_average_precision(truth, scores) == equals((1 / 2 + 2 / 4) / 2)


def test_label_cardinality_is_the_mean_number_of_labels_per_image():
    assert metrics.label_cardinality([[1, 1, 0], [0, 0, 0]]) == 1


def test_scores_that_differ_in_the_last_digit_of_float64_are_not_equal():
    truth, scores = [[1, 0], [0, 1]], np.array([[1 + 1e-15, 1], [1, 1 + 1e-15]])
    assert metrics.mean_average_precision(truth, scores) == 1


def test_booleans_and_floats_are_labels_too():
    truth, predicted = np.array([[1, 0, 1]]), np.array([[1, 1, 0]])
    assert metrics.precision_recall_f1(truth.astype(bool), predicted.astype(float), "micro") == equals((0.5, 0.5, 0.5))


def test_a_class_without_images_counts_0_in_the_mean_average_precision():
    assert metrics.mean_average_precision([[1, 0], [0, 0]], [[0.9, 0.1], [0.2, 0.3]]) == 0.5
    assert metrics.voc_mean_average_precision([[1, 0], [0, 0]], [[0.9, 0.1], [0.2, 0.3]]) == 0.5


def test_an_image_without_labels_is_ranked_perfectly():
    truth, scores = [[0, 0, 0]], [[0.1, 0.2, 0.3]]
    assert metrics.image_average_precision(truth, scores) == 1
    assert metrics.coverage(truth, scores) == 0
    assert metrics.one_error(truth, scores) == 0
    assert metrics.ranking_loss(truth, scores) == 0


@pytest.mark.parametrize("metric", BY_RANKING + BY_DECISION)
@pytest.mark.parametrize("shape", [(0, 3), (0, 0)])
def test_without_images_every_metric_is_0(metric, shape):
    assert not np.any(metric(np.zeros(shape, np.uint8), np.zeros(shape)))


@pytest.mark.parametrize("metric", BY_RANKING + BY_DECISION)
@pytest.mark.parametrize("truth", [np.zeros((4, 3)), np.ones((4, 3)), np.eye(4, 3), np.ones((1, 1)), np.zeros((2, 0))])
@pytest.mark.parametrize("other", [np.zeros, np.ones])
def test_degenerate_matrices_give_numbers_and_no_warnings(metric, truth, other):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(metric(truth, other(truth.shape))).all()


@pytest.mark.parametrize("metric", BY_DECISION + [m for m in BY_RANKING if m is not BY_RANKING[0]])
def test_values_are_plain_floats(metric):
    result = metric(TRUTH, PREDICTED)
    assert all(type(value) is float for value in (result if isinstance(result, tuple) else [result]))


@pytest.mark.parametrize("metric", BY_RANKING)
def test_rankings_of_scores_with_nan_are_an_error(metric):
    with pytest.raises(ValueError, match="scores: expected finite numbers, found 1 NaN"):
        metric([[1, 0]], [[0.5, np.nan]])


@pytest.mark.parametrize("metric", BY_DECISION)
def test_predictions_that_are_scores_are_an_error(metric):
    with pytest.raises(
        ValueError, match=re.escape("predicted: expected only 0 and 1, found 1 other values such as 0.7")
    ):
        metric([[1, 0]], [[0, 0.7]])


@pytest.mark.parametrize("metric", BY_RANKING + BY_DECISION)
def test_arrays_of_different_shape_are_an_error(metric):
    with pytest.raises(ValueError, match=r"expected truth and \w+ of one shape, found truth \(2, 2\), \w+ \(2, 3\)"):
        metric(np.zeros((2, 2)), np.zeros((2, 3)))


@pytest.mark.parametrize("metric", BY_RANKING + BY_DECISION)
def test_arrays_that_are_no_matrices_are_an_error(metric):
    with pytest.raises(ValueError, match="truth: expected a matrix of images × labels"):
        metric([1, 0], [1, 0])


def test_an_unknown_average_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match="expected one of macro, micro, instance, found 'samples'"):
        metrics.precision_recall_f1(TRUTH, PREDICTED, average="samples")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def coco_val(shared_data):
    """The labels of COCO's val2017, 5000×80."""
    return np.load(shared_data / "coco2017" / "labels.npz")["val2017_labels"]


def test_the_labels_of_coco_val2017_have_the_known_counts(coco_val):
    cardinality = coco_val.sum(axis=1)
    assert coco_val.shape == (5000, 80)
    assert (cardinality == 0).sum() == 48
    assert coco_val.sum() == 14_631
    assert coco_val[:, 0].sum() == 2_693
    assert (cardinality == 3).sum() == 980
    assert metrics.label_cardinality(coco_val) == equals(14_631 / 5000)


def test_three_labels_per_image_reach_at_best_what_table_2_says(coco_val):
    truth = coco_val[coco_val.any(axis=1)]
    best = [decisions.top_k(truth, 3, np.random.default_rng(seed)) for seed in range(5)]
    micro = [metrics.precision_recall_f1(truth, predicted, "micro") for predicted in best]
    macro = np.mean([metrics.precision_recall_f1(truth, predicted, "macro") for predicted in best], axis=0)
    assert len(truth) == 4_952
    assert {tuple(round(100 * value, 1) for value in values) for values in micro} == {(76.0, 77.1, 76.5)}
    assert 100 * macro == pytest.approx([67.2, 78.6, 70.9], abs=0.5)


@pytest.mark.parametrize("seed", range(5))
def test_few_long_rows_are_ranked_as_many_short_ones(seed):
    rng = np.random.default_rng(seed)
    truth, scores = rng.random((40, 5)) < 0.3, rng.integers(0, 9, (40, 5)) / 8
    truth[:, 2] = False
    long, short = (
        metrics._ranking(truth.T, scores.T),
        metrics._ranking(np.tile(truth.T, (9, 1)), np.tile(scores.T, (9, 1))),
    )
    for one, other in zip(long, short, strict=True):
        assert (one == other[: len(one)]).all()
