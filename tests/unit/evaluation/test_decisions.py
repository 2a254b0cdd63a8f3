import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from multilabel.evaluation import decisions

shapes = st.tuples(st.integers(1, 12), st.integers(1, 6))


@st.composite
def truth_and_scores(draw):
    """Labels with scores that are all different, tied or constant."""
    shape = draw(shapes)
    few_values = st.integers(0, draw(st.sampled_from([0, 2, 1000]))).map(lambda n: n / 8)
    truth = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))
    scores = draw(hnp.arrays(draw(st.sampled_from([np.float32, np.float64])), shape, elements=few_values))
    return truth, scores


def distance(scores, truth, tau):
    """What Eq. 12 makes small, as a number of labels."""
    return abs(int(truth.sum()) - int(decisions.threshold(scores, tau).sum()))


@given(truth_and_scores(), st.data())
def test_top_k_gives_every_image_exactly_k_labels(example, data):
    _, scores = example
    k = data.draw(st.integers(0, scores.shape[1]))
    rng = data.draw(st.sampled_from([None, np.random.default_rng(0)]))
    assert (decisions.top_k(scores, k, rng).sum(axis=1) == k).all()


@given(truth_and_scores(), st.data())
def test_no_label_outside_the_top_k_scores_higher_than_one_inside(example, data):
    _, scores = example
    k = data.draw(st.integers(1, scores.shape[1]))
    inside = decisions.top_k(scores, k).astype(bool)
    lowest_inside = np.where(inside, scores, np.inf).min(axis=1)
    highest_outside = np.where(inside, -np.inf, scores).max(axis=1)
    assert (highest_outside <= lowest_inside).all()


def test_equal_scores_are_taken_in_the_order_of_the_columns():
    assert decisions.top_k([[0.2, 0.5, 0.5, 0.5], [0, 0, 0, 0]], 2).tolist() == [[0, 1, 1, 0], [1, 1, 0, 0]]


def test_many_equal_scores_are_taken_in_the_order_of_the_columns():
    scores = np.tile([0.5, 0.1], (3, 40)).astype(np.float32)
    assert (decisions.top_k(scores, 30).nonzero()[1].reshape(3, 30) == np.arange(0, 60, 2)).all()


def test_equal_scores_are_taken_at_random_from_all_that_are_equal():
    scores = np.tile([0.9, 0.5, 0.5, 0.1], (4000, 1))
    share = decisions.top_k(scores, 2, np.random.default_rng(0)).mean(axis=0)
    assert share == pytest.approx([1, 0.5, 0.5, 0], abs=0.03)


def test_the_same_generator_gives_the_same_random_ties():
    scores = np.zeros((20, 8))
    first, second = (decisions.top_k(scores, 3, np.random.default_rng(7)) for _ in range(2))
    assert (first == second).all()


@given(truth_and_scores())
def test_top_k_per_image_gives_every_image_its_true_number_of_labels(example):
    truth, scores = example
    assert (decisions.top_k_per_image(scores, truth).sum(axis=1) == truth.sum(axis=1)).all()


@given(truth_and_scores())
def test_top_k_per_image_decides_each_image_as_top_k_does(example):
    truth, scores = example
    predicted = decisions.top_k_per_image(scores, truth)
    for i, row in enumerate(truth):
        assert (predicted[i] == decisions.top_k(scores[i : i + 1], int(row.sum()))[0]).all()


@given(truth_and_scores())
def test_perfect_scores_become_the_truth_by_top_k_per_image(example):
    truth, _ = example
    assert (decisions.top_k_per_image(truth, truth) == truth).all()


@given(truth_and_scores())
def test_no_threshold_comes_nearer_to_the_true_cardinality(example):
    truth, scores = example
    tau = decisions.cardinality_threshold(scores, truth)
    rivals = [*np.unique(scores), scores.max() + 1]
    assert distance(scores, truth, tau) == min(distance(scores, truth, rival) for rival in rivals)


@given(truth_and_scores())
def test_no_higher_threshold_is_as_near_to_the_true_cardinality(example):
    truth, scores = example
    tau = decisions.cardinality_threshold(scores, truth)
    higher = [] if tau > scores.max() else [*scores[scores > tau], scores.max() + 1]
    assert all(distance(scores, truth, rival) > distance(scores, truth, tau) for rival in higher)


@given(truth_and_scores())
def test_thresholds_per_class_are_those_of_each_column_alone(example):
    truth, scores = example
    alone = [decisions.cardinality_threshold(scores[:, [j]], truth[:, [j]]) for j in range(truth.shape[1])]
    assert decisions.cardinality_thresholds(scores, truth).tolist() == alone


def test_threshold_by_cardinality_equals_the_worked_case():
    scores = np.array([[0.9, 0.8, 0.1], [0.7, 0.6, 0.5]])
    truth = np.array([[1, 0, 0], [0, 1, 1]])
    assert decisions.cardinality_threshold(scores, truth) == 0.7
    assert decisions.cardinality_thresholds(scores, truth).tolist() == [0.9, 0.8, 0.5]


def test_of_two_equally_near_cardinalities_the_smaller_is_taken():
    scores = np.array([[0.9, 0.5, 0.5, 0.1]])  # predicts 1 or 3 labels, never 2
    assert decisions.cardinality_threshold(scores, np.array([[1, 1, 0, 0]])) == 0.9


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_class_without_images_is_never_predicted(dtype):
    scores = np.array([[0.3, 1.0], [0.2, 0.7]], dtype)
    tau = decisions.cardinality_thresholds(scores, np.array([[1, 0], [0, 0]]))
    assert decisions.threshold(scores, tau).tolist() == [[1, 0], [0, 0]]
    assert np.isfinite(tau).all()


def test_the_true_cardinality_is_reached_exactly_where_all_scores_differ():
    rng = np.random.default_rng(0)
    truth = rng.random((500, 20)) < 0.1
    scores = rng.permutation(truth.size).reshape(truth.shape).astype(np.float32)
    predicted = decisions.threshold(scores, decisions.cardinality_threshold(scores, truth))
    assert predicted.sum() == truth.sum()
    predicted = decisions.threshold(scores, decisions.cardinality_thresholds(scores, truth))
    assert (predicted.sum(axis=0) == truth.sum(axis=0)).all()


def test_a_score_equal_to_the_threshold_is_predicted():
    assert decisions.threshold([[0.5, 0.4999]], 0.5).tolist() == [[1, 0]]


def test_a_threshold_is_not_rounded_to_the_precision_of_the_scores():
    scores = np.array([[0.7, 0.75]], np.float32)
    assert float(scores[0, 0]) < 0.7
    assert decisions.threshold(scores, 0.7).tolist() == [[0, 1]]


def test_a_threshold_per_class_applies_to_its_column():
    assert decisions.threshold([[0.5, 0.5], [0.2, 0.9]], [0.1, 0.8]).tolist() == [[1, 0], [1, 1]]


def test_one_threshold_and_the_same_one_for_each_class_decide_alike():
    scores = np.array([[0.7, 0.3]], np.float32)
    assert (decisions.threshold(scores, 0.7) == decisions.threshold(scores, [0.7, 0.7])).all()


@pytest.mark.parametrize(
    "decide",
    [
        lambda h, y: decisions.top_k(h, 2),
        lambda h, y: decisions.top_k(h, 2, np.random.default_rng(0)),
        decisions.top_k_per_image,
        lambda h, y: decisions.threshold(h, 0.5),
    ],
)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_decisions_are_uint8_matrices_of_the_shape_of_the_scores(decide, n):
    predicted = decide(np.full((n, 4), 0.5), np.ones((n, 4), int))
    assert predicted.dtype == np.uint8
    assert predicted.shape == (n, 4)


def test_decisions_leave_their_arguments_as_they_were():
    scores, truth = np.array([[0.3, 0.9, 0.1]]), np.array([[1, 0, 1]])
    decisions.top_k(scores, 1)
    decisions.top_k_per_image(scores, truth)
    decisions.cardinality_threshold(scores, truth)
    decisions.cardinality_thresholds(scores, truth)
    assert scores.tolist() == [[0.3, 0.9, 0.1]]


def test_k_greater_than_the_number_of_labels_is_an_error():
    with pytest.raises(ValueError, match="expected k from 0 to the number of labels, 2, found 3"):
        decisions.top_k([[0.1, 0.2]], 3)


def test_a_negative_k_is_an_error():
    with pytest.raises(ValueError, match="found -1"):
        decisions.top_k([[0.1, 0.2]], -1)


def test_a_fractional_k_is_an_error():
    with pytest.raises(TypeError):
        decisions.top_k([[0.1, 0.2]], 1.5)  # type: ignore[arg-type]


def test_scores_that_are_nan_or_infinite_are_an_error_that_says_where():
    with pytest.raises(ValueError, match="found 1 NaN, 1 infinite, the first in row 0, column 1"):
        decisions.top_k([[0.1, np.nan], [np.inf, 0]], 1)


def test_scores_that_are_no_numbers_are_an_error():
    with pytest.raises(ValueError, match="expected real numbers"):
        decisions.top_k(np.array([["high", "low"]]), 1)


def test_scores_that_are_no_matrix_are_an_error():
    with pytest.raises(ValueError, match=r"expected a matrix of images × labels, found an array of shape \(3,\)"):
        decisions.threshold([0.1, 0.2, 0.3], 0.5)


def test_truth_of_another_shape_is_an_error():
    with pytest.raises(ValueError, match=r"found truth \(2, 3\), scores \(2, 4\)"):
        decisions.top_k_per_image(np.zeros((2, 4)), np.zeros((2, 3)))


def test_truth_other_than_0_and_1_is_an_error_that_names_the_values():
    with pytest.raises(ValueError, match="truth: expected only 0 and 1, found 2 other values such as -1, 2"):
        decisions.cardinality_threshold(np.zeros((1, 3)), [[0, 2, -1]])


def test_thresholds_of_another_number_of_classes_are_an_error():
    with pytest.raises(ValueError, match=r"one for each of 3 classes, found shape \(2,\)"):
        decisions.threshold(np.zeros((1, 3)), [0.1, 0.2])


def test_a_threshold_that_is_nan_is_an_error():
    with pytest.raises(ValueError, match="found NaN"):
        decisions.threshold(np.zeros((1, 3)), np.nan)


@pytest.mark.parametrize("find", [decisions.cardinality_threshold, decisions.cardinality_thresholds])
def test_a_threshold_cannot_be_found_without_scores(find):
    with pytest.raises(ValueError, match=r"at least one score, found a matrix of shape \(0, 3\)"):
        find(np.zeros((0, 3)), np.zeros((0, 3)))
