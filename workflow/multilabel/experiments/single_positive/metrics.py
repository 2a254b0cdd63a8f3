"""Precision and recall at k as Cole et al. (2021) compute them, and the images that their code scores."""

import operator
from collections.abc import Sequence
from typing import NamedTuple

from numpy.typing import ArrayLike

from multilabel import arrays
from multilabel.evaluation import decisions, metrics


class AtK(NamedTuple):
    """Three shares from 0 to 1: means over all images, those without labels counting 0."""

    precision: float
    """Of the k highest scores of an image, the share that is true."""
    recall: float
    """Of an image's labels, the share that is among its k highest scores."""
    top: float
    """The share of images with a true label among their k highest scores."""


def at_k(truth: ArrayLike, scores: ArrayLike, k: int) -> AtK:
    """Precision, recall and hits among the k highest scores; of equal scores the last column counts as the highest.

    Raises:
        ValueError: k is not from 1 to L, or as `arrays.truth_and_scores`.

    >>> at_k([[1, 1, 0], [0, 0, 1]], [[0.9, 0.1, 0.2], [0.3, 0.2, 0.1]], k=1)
    AtK(precision=0.5, recall=0.25, top=0.5)
    """
    y, h = arrays.truth_and_scores(truth, scores)
    if not 1 <= operator.index(k) <= y.shape[1]:
        raise ValueError(f"k: expected 1 to the number of labels, {y.shape[1]}, found {k}")
    highest = decisions.top_k(h[:, ::-1], k)[:, ::-1].astype(bool)
    found = (highest & y).sum(axis=1)
    labels = y.sum(axis=1)
    return AtK(
        precision=float((found / k).mean()),
        recall=float((found / labels.clip(min=1)).mean()),
        top=float((found > 0).mean()),
    )


def scored(count: int, batch_size: int) -> int:
    """How many of the first images the published code scores: it drops the last batch where that is short.

    >>> scored(40137, 8), scored(40137, 16)
    (40136, 40128)
    """
    return count - count % batch_size


def all_of(truth: ArrayLike, scores: ArrayLike, ks: Sequence[int]) -> dict[str, float]:
    """Under flat names and in percent: `mAP`, and precision, recall and hits at each k.

    mAP is the mean over the classes of scikit-learn's average precision; a class without images counts 0.
    """
    found = {"mAP": 100 * metrics.mean_average_precision(truth, scores)}
    for k in ks:
        precision, recall, top = at_k(truth, scores, k)
        found |= {f"P@{k}": 100 * precision, f"R@{k}": 100 * recall, f"top@{k}": 100 * top}
    return found
