"""Multi-label metrics: plain numbers from true labels and either predicted labels or scores, all N images × L labels.

The definitions are the usual ones and agree with scikit-learn's. Eqs. 1 to 9 of Maddox (2017) exchange precision and
recall; the tables of that paper do not, and neither do we.

Every result is defined and none is NaN. 0/0 counts 0: the precision of a class that is never predicted, the recall and
average precision of a class without images, the Jaccard index of an image with neither true nor predicted labels. The
ranking of an image without labels cannot be wrong: its average precision is 1, its coverage, one-error and ranking loss
are 0. A mean over no images or no classes is 0.

Truth may be a masked array of NumPy (`LabelMatrix.truth`): a masked pair of image and label counts neither way, so that
every metric is that of the pairs that are left. Every function raises ValueError for arrays that are not matrices or
differ in shape, scores that are NaN or infinite, and labels other than 0 and 1.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays

Average = Literal["macro", "micro", "instance"]
AXES: dict[str, int | None] = {"macro": 0, "micro": None, "instance": 1}


class PrecisionRecallF1(NamedTuple):
    """Three shares from 0 to 1."""

    precision: float
    recall: float
    f1: float


def precision_recall_f1(truth: ArrayLike, predicted: ArrayLike, average: Average) -> PrecisionRecallF1:
    """Precision, recall and F1 (Eqs. 1 to 9).

    `macro` is the mean over the classes, `instance` (scikit-learn's "samples") the mean over the images, `micro` counts
    all pairs of image and label alike. F1 is taken before the mean, so it is not the harmonic mean of the other two.

    >>> precision_recall_f1([[1, 1, 0, 0]], [[1, 0, 1, 1]], average="micro")
    PrecisionRecallF1(precision=0.3333333333333333, recall=0.5, f1=0.4)
    """
    both, true, positive = _counts(truth, predicted, average)
    return PrecisionRecallF1(
        precision=_mean(_ratio(both, positive)),
        recall=_mean(_ratio(both, true)),
        f1=_mean(_ratio(2 * both, true + positive)),
    )


def jaccard(truth: ArrayLike, predicted: ArrayLike, average: Average = "instance") -> float:
    """Labels both true and predicted, as a share of those that are either; averages as in `precision_recall_f1`."""
    both, true, positive = _counts(truth, predicted, average)
    return _mean(_ratio(both, true + positive - both))


def subset_zero_one_loss(truth: ArrayLike, predicted: ArrayLike) -> float:
    """The share of images whose predicted labels are not exactly the true ones."""
    y, z = arrays.truth_and_predicted(truth, predicted)
    return _mean((y != z).any(axis=1))


def hamming_loss(truth: ArrayLike, predicted: ArrayLike) -> float:
    """The share of pairs of image and label that are wrong."""
    y, z = arrays.truth_and_predicted(truth, predicted)
    wrong, counted = y != z, arrays.counted(truth)
    return _mean(wrong if counted is None else wrong[counted])


def label_cardinality(labels: ArrayLike) -> float:
    """The mean number of labels per image (Eq. 11)."""
    return _mean(arrays.checked_labels(labels, "labels").sum(axis=1))


def mean_average_precision(truth: ArrayLike, scores: ArrayLike) -> float:
    """The mean of `average_precision_per_class`: what the field calls mAP. A class without images counts 0."""
    return _mean(average_precision_per_class(truth, scores))


def average_precision_per_class(truth: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Average precision of each class, L, from the ranking of the images; 0 for a class without images.

    It is the mean, over the images of the class, of the precision among all images that score at least as high, without
    interpolation: the definition of scikit-learn, whatever the order of equal scores.

    >>> average_precision_per_class([[1, 0], [0, 0], [1, 0]], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]).round(4)
    array([0.8333, 0.    ])
    """
    y, h = arrays.truth_and_scores(truth, scores)
    return _average_precision(_ranking(y.T, h.T))


def image_average_precision(truth: ArrayLike, scores: ArrayLike) -> float:
    """Average precision from the ranking of each image's labels, mean over the images; 1 for an image without labels.

    Also called label-ranking average precision; the mAP of Maddox's code, the average precision of Zhou et al. (2012).
    """
    return _mean(average_precision_per_image(truth, scores))


def average_precision_per_image(truth: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Average precision of each image, N: what `image_average_precision` is the mean of."""
    y, h = arrays.truth_and_scores(truth, scores)
    return np.where(y.any(axis=1), _average_precision(_ranking(y, h)), 1)


def voc_mean_average_precision(truth: ArrayLike, scores: ArrayLike, *, eleven_points: bool = False) -> float:
    """Interpolated average precision of each class, mean over the classes: PASCAL VOC's mAP.

    The precision at a recall is the best at that recall or any higher. It is averaged over all recalls, as VOC does
    since 2010, or with `eleven_points` over the recalls 0, 0.1, …, 1, as in 2007. A class without images counts 0.
    """
    y, h = arrays.truth_and_scores(truth, scores)
    ranking = _ranking(y.T, h.T)
    end = np.cumsum(ranking.size)
    values = np.zeros(y.shape[1])
    for j in np.flatnonzero(ranking.size):
        size = ranking.size[j]
        of_class = slice(end[j] - size, end[j])
        found = ranking.true_above[of_class]
        best = np.maximum.accumulate(found / ranking.above[of_class])  # begins at the lowest score, where recall is 1
        if eleven_points:
            # Whole numbers, because found / size >= 3 * 0.1 fails by rounding.
            reached = 10 * found >= np.arange(11)[:, np.newaxis] * size
            best = best[reached.sum(axis=1) - 1]
        values[j] = best.mean()
    return _mean(values)


def coverage(truth: ArrayLike, scores: ArrayLike) -> float:
    """The rank of each image's last true label, counted from 0, as a share of L, mean over the images.

    Zhou et al. (2012), divided by L as in Dong et al. On labelled images it is scikit-learn's `coverage_error` minus 1,
    divided by L; an image without labels counts 0. Of equal scores the true label ranks last.
    """
    return _mean(coverage_per_image(truth, scores))


def coverage_per_image(truth: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Coverage of each image, N: what `coverage` is the mean of."""
    y, h = arrays.truth_and_scores(truth, scores)
    lowest = np.where(y, h, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    return np.maximum(np.sum(h >= lowest, axis=1) - 1, 0) / np.maximum(_labels_that_count(h), 1)


def one_error(truth: ArrayLike, scores: ArrayLike) -> float:
    """The share of images whose highest score is not a true label (Zhou et al. 2012).

    Where several labels share the highest score, all of them must be true. An image without labels counts 0.
    """
    return _mean(one_error_per_image(truth, scores))


def one_error_per_image(truth: ArrayLike, scores: ArrayLike) -> NDArray[np.bool_]:
    """Whether each image's highest score is not a true label, N: what `one_error` is the mean of."""
    y, h = arrays.truth_and_scores(truth, scores)
    wrong = (h == h.max(axis=1, keepdims=True, initial=-np.inf)) & ~y
    return wrong.any(axis=1) & y.any(axis=1)


def ranking_loss(truth: ArrayLike, scores: ArrayLike) -> float:
    """The share of pairs of a true and a false label that do not score the true one higher, mean over the images.

    Zhou et al. (2012), and scikit-learn's `label_ranking_loss`: a pair of equal scores is wrong.
    """
    return _mean(ranking_loss_per_image(truth, scores))


def ranking_loss_per_image(truth: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Ranking loss of each image, N: what `ranking_loss` is the mean of."""
    y, h = arrays.truth_and_scores(truth, scores)
    ranking = _ranking(y, h)
    wrong = np.bincount(ranking.row, ranking.above - ranking.true_above, minlength=len(y))
    return _ratio(wrong, ranking.size * (_labels_that_count(h) - ranking.size))


class _Ranking(NamedTuple):
    """For each true entry of a matrix, by row and then from the lowest score up: what scores at least as high as it."""

    row: NDArray[np.intp]
    above: NDArray[np.intp]  # entries of the row that score at least as high, itself included
    true_above: NDArray[np.intp]  # the true ones of these
    size: NDArray[np.intp]  # how many true entries each row of the matrix has


def _ranking(truth: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> _Ranking:
    """Rank the true entries of each row; all metrics of ranking follow from this.

    Few long rows are sorted and searched one by one. Many short ones are so together, as complex numbers row + i·score,
    which NumPy compares by row first, then by score.
    """
    n_rows, n_columns = scores.shape
    if n_rows < n_columns:
        return _ranking_by_row(truth, scores)
    row, column = np.nonzero(truth)
    true = np.sort(row + 1j * scores[row, column])
    every = np.empty(scores.shape, complex)
    every.real = np.arange(n_rows)[:, np.newaxis]
    every.imag = np.sort(scores, axis=1)
    size = np.bincount(row, minlength=n_rows)
    above = (row + 1) * n_columns - np.searchsorted(every.ravel(), true)
    true_above = np.cumsum(size)[row] - np.searchsorted(true, true)
    return _Ranking(row, above, true_above, size)


def _ranking_by_row(truth: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> _Ranking:
    """The same, a row at a time."""
    size = np.sum(truth, axis=1)
    above, true_above = np.empty((2, size.sum()), np.intp)
    end = 0
    for values, positive, count in zip(np.ascontiguousarray(scores), np.ascontiguousarray(truth), size, strict=True):
        true = np.sort(values[positive])
        start, end = end, end + count
        above[start:end] = len(values) - np.searchsorted(np.sort(values), true)
        true_above[start:end] = count - np.searchsorted(true, true)
    return _Ranking(np.repeat(np.arange(len(size)), size), above, true_above, size)


def _labels_that_count(scores: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """How many labels of each image are not masked: L of an image, N."""
    return np.sum(scores != -np.inf, axis=1)


def _average_precision(ranking: _Ranking) -> NDArray[np.float64]:
    """Average precision of each row; 0 where nothing is true."""
    precision = ranking.true_above / ranking.above
    return _ratio(np.bincount(ranking.row, precision, minlength=len(ranking.size)), ranking.size)


def _counts(truth: ArrayLike, predicted: ArrayLike, average: Average) -> list[NDArray[np.intp]]:
    """Labels that are true and predicted, true, predicted: per class, per image, or one number of each."""
    if average not in AXES:
        raise ValueError(f"average: expected one of {', '.join(AXES)}, found {average!r}")
    y, z = arrays.truth_and_predicted(truth, predicted)
    return [np.atleast_1d(np.sum(labels, axis=AXES[average])) for labels in (y & z, y, z)]


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    """The quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator != 0)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else 0.0
