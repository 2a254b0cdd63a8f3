"""Masked pairs of image and label count neither way: each metric is that of a reference which drops them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, bootstrap, decisions, metrics, predictions
from multilabel.report import gallery

shapes = st.tuples(st.integers(1, 12), st.integers(2, 6))


def samples(shape):
    """Labels, scores with and without ties, and which pairs are ignored: none, some, whole images or classes."""
    bits = hnp.arrays(bool, shape)
    scores = st.one_of(
        hnp.arrays(np.float64, shape, elements=st.floats(-5, 5, width=32)),
        hnp.arrays(np.float32, shape, elements=st.integers(0, 3).map(lambda n: n / 4)),
    )
    return st.tuples(bits, scores, st.one_of(bits, st.just(np.zeros(shape, bool))))


masked = shapes.flatmap(samples).map(lambda drawn: (np.ma.masked_array(drawn[0].astype(np.uint8), drawn[2]), drawn[1]))


def kept(truth, values, row):
    """The pairs of an image that are left."""
    where = ~np.ma.getmaskarray(truth)[row]
    return np.asarray(truth)[row][where], np.asarray(values)[row][where]


def images(truth, values, metric):
    """The mean over images of a metric of the pairs that are left."""
    return np.mean([metric(*kept(truth, values, row)) for row in range(len(truth))])


def classes(truth, values, metric):
    return images(truth.T, values.T, metric)


def average_precision(y, h):
    return sk.average_precision_score(y, h) if y.any() else 0


def padded(y, h):
    """One image for scikit-learn, which takes no single label: with a false one below all others."""
    return [[*y, 0]], [[*h, -99]]


def image_average_precision(y, h):
    return sk.label_ranking_average_precision_score(*padded(y, h)) if y.any() else 1


def coverage(y, h):
    return (sk.coverage_error(*padded(y, h)) - 1) / len(y) if y.any() else 0


def one_error(y, h):
    return float(not y[h == h.max()].all()) if y.any() else 0


def ranking_loss(y, h):
    return np.mean(h[y > 0][:, None] <= h[y == 0]) if y.any() and not y.all() else 0


def voc(y, h):
    """Interpolated average precision by its definition: at the score of each true image, the best precision below."""
    if not y.any():
        return 0
    precision = {t: y[h >= t].mean() for t in h[y > 0]}
    return np.mean([max(value for other, value in precision.items() if other <= t) for t in h[y > 0]])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore::UserWarning:sklearn")
@given(masked)
def test_rankings_leave_them_out(drawn):
    truth, scores = drawn
    np.testing.assert_allclose(metrics.mean_average_precision(truth, scores), classes(truth, scores, average_precision))
    np.testing.assert_allclose(metrics.voc_mean_average_precision(truth, scores), classes(truth, scores, voc))
    for ours, reference in (
        (metrics.image_average_precision, image_average_precision),
        (metrics.coverage, coverage),
        (metrics.one_error, one_error),
        (metrics.ranking_loss, ranking_loss),
    ):
        np.testing.assert_allclose(ours(truth, scores), images(truth, scores, reference), atol=1e-12)


def shares(y, z):
    if not len(y):
        return np.zeros(3)
    return np.array(sk.precision_recall_fscore_support(y, z, average="binary", zero_division=0)[:3])


def shares_of(truth, predicted, average):
    if average == "micro":
        where = ~np.ma.getmaskarray(truth)
        return shares(np.asarray(truth)[where], np.asarray(predicted)[where])
    if average == "macro":
        truth, predicted = truth.T, predicted.T
    return np.mean([shares(*kept(truth, predicted, row)) for row in range(len(truth))], axis=0)


@given(masked)
def test_decided_labels_leave_them_out(drawn):
    truth, scores = drawn
    predicted = (scores > 0.3).astype(np.uint8)
    for average in ("macro", "micro", "instance"):
        found = metrics.precision_recall_f1(truth, predicted, average=average)
        np.testing.assert_allclose(found, shares_of(truth, predicted, average), atol=1e-12)
    where = ~np.ma.getmaskarray(truth)
    wrong = np.asarray(truth)[where] != predicted[where]
    np.testing.assert_allclose(metrics.hamming_loss(truth, predicted), wrong.mean() if wrong.size else 0)
    exact = images(truth, predicted, lambda y, z: np.any(y != z))
    np.testing.assert_allclose(metrics.subset_zero_one_loss(truth, predicted), exact)
    jaccard = images(truth, predicted, lambda y, z: sk.jaccard_score(y, z, zero_division=0) if y.size else 0)
    np.testing.assert_allclose(metrics.jaccard(truth, predicted), jaccard)


@given(masked)
def test_decisions_are_those_of_the_labels_that_are_left(drawn):
    truth, scores = drawn
    where = ~np.ma.getmaskarray(truth)
    found = all_metrics.decided(truth, scores, k=2)
    for row in range(len(truth)):
        y, h = kept(truth, scores, row)
        if len(h) >= 2:
            np.testing.assert_array_equal(found["top_k"][row][where[row]], decisions.top_k([h], 2)[0])
        if len(h):
            np.testing.assert_array_equal(
                found["top_k_per_image"][row][where[row]], decisions.top_k_per_image([h], [y])[0]
            )
    for column in range(truth.shape[1]):
        y, h = kept(truth.T, scores.T, column)
        if len(h):
            tau = decisions.cardinality_threshold([h], [y])
            np.testing.assert_array_equal(
                found["cardinality_threshold_per_class"][:, column][where[:, column]], h >= tau
            )
    if where.any():
        tau = decisions.cardinality_threshold([scores[where]], [np.asarray(truth)[where]])
        np.testing.assert_array_equal(found["cardinality_threshold"][where], scores[where] >= tau)
    assert not any(predicted[~where].any() for predicted in found.values())


@given(masked)
def test_what_is_under_the_mask_changes_nothing(drawn):
    truth, scores = drawn
    mask = np.ma.getmaskarray(truth)
    turned = np.ma.masked_array(np.where(mask, 1 - np.asarray(truth), truth), mask)
    other = np.where(mask, scores.dtype.type(99), scores)
    assert all_metrics.evaluate(turned, other, k=2) == all_metrics.evaluate(truth, scores, k=2)


@given(masked)
def test_a_mask_of_none_gives_the_same_bits(drawn):
    truth, scores = np.asarray(drawn[0]), drawn[1]
    unmasked = np.ma.masked_array(truth, np.zeros(truth.shape, bool))
    assert all_metrics.evaluate(unmasked, scores, k=2) == all_metrics.evaluate(truth, scores, k=2)


def simulated(n=60, n_labels=5):
    rng = np.random.default_rng(3)
    truth = rng.random((n, n_labels)) < 0.4
    scores = rng.normal(size=truth.shape) + truth
    return np.ma.masked_array(truth, rng.random(truth.shape) < 0.15), scores


def test_a_resample_has_the_metrics_of_its_images():
    truth, scores = simulated()
    found = bootstrap.resample(truth, scores, k=2, n=20, seed=4)
    rng = np.random.default_rng(4)
    for position in range(20):
        rows = rng.integers(len(truth), size=len(truth))
        expected = all_metrics.evaluate(truth[rows], scores[rows], k=2, validation=(truth, scores))
        expected.pop("cardinality_threshold_tau")
        np.testing.assert_allclose([found[name][position] for name in found], list(expected.values()), atol=1e-12)


def test_resamples_with_a_mask_of_none_have_the_same_bits():
    truth, scores = simulated()
    plain, unmasked = np.asarray(truth), np.ma.masked_array(np.asarray(truth), np.zeros(truth.shape, bool))
    one, two = (bootstrap.resample(y, scores, n=20) for y in (plain, unmasked))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_class_of_ignored_images_only_is_never_predicted():
    truth = np.ma.masked_array([[0, 1], [0, 0]], [[True, False], [True, False]])
    scores = [[0.9, 0.8], [0.7, 0.1]]
    assert decisions.cardinality_thresholds(scores, truth).tolist() == [np.inf, 0.8]
    assert all_metrics.decided([[1, 1], [0, 0]], scores, k=1, validation=(truth, scores))[
        "cardinality_threshold_per_class"
    ].tolist() == [[0, 1], [0, 0]]


def test_predictions_carry_the_mask_and_images_with_ignored_objects(tmp_path):
    ignored = np.array([[False, True], [True, False], [False, False]])
    matrix = LabelMatrix([1, 2, 3], "abc", ("cat", "dog"), [[1, 0], [0, 0], [0, 0]], ignored=ignored)
    matrix.save(tmp_path / "labels.h5")
    predictions.save(tmp_path / "test.h5", [2, 3, 1], np.zeros((3, 2)))
    found = predictions.load_with_truth(tmp_path / "test.h5", tmp_path / "labels.h5")
    assert found.image_id.tolist() == [2, 1]  # 3 has no object at all
    assert found.truth.tolist() == [[None, 0], [1, None]]


def test_without_ignored_pairs_the_file_has_the_bytes_of_before(tmp_path):
    parts = ([1, 2], "ab", ("cat", "dog"), [[1, 0], [0, 1]])
    for name, ignored in (("without", None), ("none", np.zeros((2, 2), bool))):
        LabelMatrix(*parts, ignored=ignored).save(tmp_path / name)
    assert (tmp_path / "without").read_bytes() == (tmp_path / "none").read_bytes()


def test_training_is_given_another_value_for_them():
    matrix = LabelMatrix([1, 2], "ab", ("cat", "dog"), [[1, 0], [0, 1]], ignored=[[0, 1], [0, 0]])
    assert matrix.targets.tolist() == [[1, 255], [0, 1]]
    assert matrix.targets.dtype == np.uint8


@pytest.mark.parametrize("ignored", [np.ones((2, 2), bool), np.ones((1, 2), bool)], ids=["a label", "another shape"])
def test_an_ignored_pair_with_a_label_is_an_error(ignored):
    with pytest.raises(ValueError, match=r"ignored: expected \(2, 2\) yes or no, and label 0 where yes"):
        LabelMatrix([1, 2], "ab", ("cat", "dog"), [[1, 0], [0, 1]], ignored=ignored)


def test_the_gallery_shows_an_ignored_label_as_absent_and_does_not_count_it():
    truth, scores = np.ma.masked_array([[1, 0, 0]], [[False, True, False]]), np.array([[0.6, 0.9, 0.2]])
    ((_, quality, loss, labels),) = gallery.entries(["a.jpg"], truth, scores, np.array([[1, 0, 0]]))
    assert quality == 1
    assert loss == pytest.approx(-np.log([0.6, 0.8]).mean(), abs=1e-5)
    assert labels == [[1, 1, 0.9, 0], [0, 2, 0.6, gallery.TRUE + gallery.PREDICTED]]
