"""Label decisions: from scores to predicted labels, by rank or by threshold (Maddox 2017, section 2.2).

Scores and truth are N images × L labels; decisions are uint8 matrices of the same shape. Any finite scores will do, not
only probabilities. Both may be masked arrays of NumPy: a masked pair of image and label is not there, so it is never
predicted and no rank or threshold depends on it. Every function raises ValueError for arrays that are not matrices or
differ in shape, scores that are NaN or infinite, and truth other than 0 and 1.
"""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays


def top_k(scores: ArrayLike, k: int, rng: np.random.Generator | None = None) -> NDArray[np.uint8]:
    """The `k` highest scores of each image: always exactly `k` labels, or all that are not masked.

    Equal scores are taken in the order of the columns, or at random where `rng` is given. So `top_k(truth, k, rng)` is
    the best that any model can reach with `k` labels per image: "best possible" in Table 2.

    Raises:
        ValueError: `k` is negative or greater than L.

    >>> top_k([[0.1, 0.7, 0.7, 0.7]], k=2)
    array([[0, 1, 1, 0]], dtype=uint8)
    """
    h = arrays.checked_scores(scores)
    n_labels = h.shape[1]
    if not 0 <= operator.index(k) <= n_labels:
        raise ValueError(f"top-k: expected k from 0 to the number of labels, {n_labels}, found {k}")
    return _highest(h, np.array([[k]]), rng)


def top_k_per_image(scores: ArrayLike, truth: ArrayLike) -> NDArray[np.uint8]:
    """The highest scores of each image, as many as it truly has labels; equal scores in the order of the columns."""
    y, h = arrays.truth_and_scores(truth, scores)
    return _highest(h, y.sum(axis=1, keepdims=True), None)


def threshold(scores: ArrayLike, tau: ArrayLike) -> NDArray[np.uint8]:
    """The scores of at least `tau`, a number or one number per class (Eq. 10).

    The comparison is exact: `tau` is not rounded to the precision of the scores.

    Raises:
        ValueError: `tau` is neither one number nor L, or is NaN.
    """
    h = arrays.checked_scores(scores)
    limit = np.asarray(tau, dtype=np.float64)
    if limit.shape not in ((), (h.shape[1],)):
        raise ValueError(f"tau: expected one number or one for each of {h.shape[1]} classes, found shape {limit.shape}")
    if np.isnan(limit).any():
        raise ValueError(f"tau: expected numbers, found NaN: {limit}")
    return (h >= limit).view(np.uint8)


def cardinality_threshold(scores: ArrayLike, truth: ArrayLike) -> float:
    """The threshold whose decisions have, on average, as many labels per image as the truth (Eqs. 11, 12).

    The argmin of Eq. 12 is found exactly, and is never unique: the highest threshold is returned. So of two numbers of
    labels that are equally near to the true one the smaller is taken, and the threshold is itself a score, the lowest
    that is still predicted. Where predicting no label at all is nearest, it is the next number above all scores.

    Raises:
        ValueError: there are no scores.

    >>> cardinality_threshold([[0.9, 0.2], [0.4, 0.3]], [[1, 0], [1, 1]])
    0.3
    """
    y, h = arrays.truth_and_scores(truth, scores)
    _require_scores(h)
    return _nearest_threshold(h.ravel(), int(y.sum()))


def cardinality_thresholds(scores: ArrayLike, truth: ArrayLike) -> NDArray[np.float64]:
    """One threshold per class, L: each predicts its class for as many images as truly have it.

    Chosen among equals as by `cardinality_threshold`; a class without images is never predicted.

    Raises:
        ValueError: there are no scores.
    """
    y, h = arrays.truth_and_scores(truth, scores)
    _require_scores(h)
    return np.array([_nearest_threshold(column, int(n)) for column, n in zip(h.T, y.sum(axis=0), strict=True)])


def _highest(
    scores: NDArray[np.floating[Any]], k: NDArray[np.integer[Any]], rng: np.random.Generator | None
) -> NDArray[np.uint8]:
    """The `k` highest scores of each row, with `k` a column of one number or one per row."""
    if rng is None:
        order = np.argsort(-scores, axis=1, kind="stable")
    else:
        order = np.lexsort((rng.random(scores.shape), -scores), axis=1)
    chosen = np.zeros(scores.shape, np.uint8)
    np.put_along_axis(chosen, order, np.arange(scores.shape[1]) < k, axis=1)
    chosen[scores == -np.inf] = 0  # masked
    return chosen


def _nearest_threshold(scores: NDArray[np.floating[Any]], wanted: int) -> float:
    """The highest threshold for which the number of `scores` at or above it is nearest to `wanted`."""
    if wanted:
        # Of the counts that ties allow, only two can be nearest: with the wanted-th highest score's ties, and without.
        candidate = np.partition(scores, -wanted)[-wanted]
        higher = scores[scores > candidate]
        if np.count_nonzero(scores >= candidate) - wanted < wanted - len(higher):
            return float(candidate)
        if len(higher):
            return float(higher.min())
    highest = scores.max()
    return float(np.nextafter(highest, scores.dtype.type(np.inf))) if highest != -np.inf else np.inf  # all are masked


def _require_scores(scores: NDArray[np.floating[Any]]) -> None:
    if not scores.size:
        raise ValueError(f"cardinality threshold: expected at least one score, found a matrix of shape {scores.shape}")
