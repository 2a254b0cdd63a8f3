"""How well predicted labels occur together as true ones do.

The conditional frequency P(j | i) is the share of the images with label i that also have label j. A model whose labels
have the right frequencies, but each for itself, would give P(j) in its place.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays

Floats = NDArray[np.float64]


def conditional_frequencies(labels: ArrayLike) -> Floats:
    """P(j | i) in row i and column j, L×L, of labels N×L; 0 in the rows of labels that no image has.

    >>> conditional_frequencies([[1, 1], [1, 0], [0, 0]])
    array([[1. , 0.5],
           [1. , 1. ]])
    """
    y = arrays.checked_labels(labels, "labels").astype(np.float64)
    together = y.T @ y
    count = together.diagonal()[:, np.newaxis]
    return np.divide(together, count, out=np.zeros_like(together), where=count > 0)


def independent_frequencies(labels: ArrayLike) -> Floats:
    """What P(j | i) would be if labels of the same frequencies N×L fell independently: P(j) in every row."""
    y = arrays.checked_labels(labels, "labels")
    return np.tile(y.mean(axis=0), (y.shape[1], 1)) if len(y) else np.zeros((y.shape[1],) * 2)


def agreement(truth: ArrayLike, frequencies: ArrayLike, support: int = 20) -> dict[str, float]:
    """How near conditional frequencies L×L are to those of the true labels N×L, over ordered pairs i ≠ j.

    Args:
        truth: N×L, 0 or 1.
        frequencies: L×L, P(j | i) in row i.
        support: only labels i of at least so many images count: what fewer show is chance.

    Returns:
        `pairs`, their number; `mean difference`, the mean of |P(j | i) − true P(j | i)|; `correlation`, Pearson's, over
        the same pairs. The two are NaN without any pair; the correlation also where one side does not vary.

    Raises:
        ValueError: the frequencies are not L×L.
    """
    y, p = arrays.checked_labels(truth), np.asarray(frequencies, dtype=np.float64)
    if p.shape != (y.shape[1], y.shape[1]):
        raise ValueError(f"co-occurrence: expected frequencies of shape {(y.shape[1],) * 2}, found {p.shape}")
    counted = (y.sum(axis=0) >= support)[:, np.newaxis] & ~np.eye(y.shape[1], dtype=bool)
    wanted, found = conditional_frequencies(y)[counted], p[counted]
    varied = len(wanted) > 1 and wanted.std() > 0 and found.std() > 0
    return {
        "pairs": int(counted.sum()),
        "mean difference": float(np.abs(found - wanted).mean()) if len(wanted) else float("nan"),
        "correlation": float(np.corrcoef(wanted, found)[0, 1]) if varied else float("nan"),
    }


def table(
    truth: ArrayLike, predicted: Mapping[str, ArrayLike], training: ArrayLike | None = None, support: int = 20
) -> pd.DataFrame:
    """A row for each model: how well its predicted labels keep the conditional frequencies, and how well chance would.

    Args:
        truth: N×L, 0 or 1.
        predicted: model → its predicted labels, N×L.
        training: the labels of the training images, M×L; their own frequencies make the last row, what a model that
            learnt them without fault would show.
        support: as in `agreement`.

    Returns:
        Columns model, pairs, mean difference, independent, correlation. `independent` is the mean difference of labels
        that fall independently with the frequencies of the model's.
    """
    rows = []
    for model, labels in {
        **predicted,
        **({} if training is None else {"labels of the training images": training}),
    }.items():
        found = agreement(truth, conditional_frequencies(labels), support)
        by_chance = agreement(truth, independent_frequencies(labels), support)
        rows.append(
            (model, found["pairs"], found["mean difference"], by_chance["mean difference"], found["correlation"])
        )
    return pd.DataFrame(rows, columns=["model", "pairs", "mean difference", "independent", "correlation"])


def most_frequent(truth: ArrayLike, n: int = 20) -> NDArray[np.intp]:
    """The columns of the `n` labels of most images, the most frequent first."""
    return np.argsort(-arrays.checked_labels(truth).sum(axis=0), kind="stable")[:n]
