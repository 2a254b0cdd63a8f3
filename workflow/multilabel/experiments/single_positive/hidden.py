"""What becomes of the labels that nobody observed: looked at after training, which never sees them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel import metrics

BINS = 20
"""Of the probabilities in Fig. 1."""


def linear_scores(features: NDArray[np.float32], weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Any:
    """Probabilities N×L of a linear classifier: features N×D, weights D×L, bias L."""
    return 1 / (1 + np.exp(-(features @ weights + bias)))


def distribution(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The share of some labels' scores in each of BINS equal parts of 0 to 1."""
    counts, _ = np.histogram(scores, BINS, (0, 1))
    return counts / max(counts.sum(), 1)


def recovery(truth: ArrayLike, observed: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """How well scores tell which of the labels that were not observed are there.

    Args:
        truth: N×L, 0 or 1.
        observed: N×L, 0 where nothing was observed.
        scores: N×L, probabilities or estimates.

    Returns:
        `mAP`: mean over classes of the average precision among the class's hidden labels; `micro AP`: of all hidden
        labels together; `precision` and `recall` of the decision at 0.5; `expected`: hidden labels that are there
        according to the scores, per image; `there`: that truly are.
    """
    y, hidden, h = np.asarray(truth, bool), np.asarray(observed) == 0, np.asarray(scores)
    classes = [
        metrics.mean_average_precision(y[rows, [column]][:, np.newaxis], h[rows, [column]][:, np.newaxis])
        for column, rows in enumerate(map(np.flatnonzero, hidden.T))
        if len(rows)
    ]
    found = hidden & (h > 0.5)
    both = (found & y).sum()
    return {
        "mAP": float(np.mean(classes)),
        "micro AP": metrics.mean_average_precision(y[hidden][:, np.newaxis], h[hidden][:, np.newaxis]),
        "precision": float(both / max(found.sum(), 1)),
        "recall": float(both / max((hidden & y).sum(), 1)),
        "expected": float(np.where(hidden, h, 0).sum() / len(y)),
        "there": float((hidden & y).sum() / len(y)),
    }


def by_epoch(
    features: NDArray[np.float32],
    hidden_positive: NDArray[np.bool_],
    epochs: Mapping[int, tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> pd.DataFrame:
    """Fig. 1: the distribution of the scores of unobserved positives after each epoch, a row per epoch and bin."""
    rows: list[dict[str, float]] = []
    for epoch, (weights, bias) in epochs.items():
        shares = distribution(linear_scores(features, weights, bias)[hidden_positive])
        rows += [{"epoch": epoch, "from": number / BINS, "share": share} for number, share in enumerate(shares)]
    return pd.DataFrame(rows)
