"""What becomes of the labels that nobody observed: looked at after training, which never sees them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import metrics
from multilabel.experiments.single_positive import features
from multilabel.experiments.single_positive.observation import Observed, load_estimates
from multilabel.experiments.single_positive.runs import Study

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


def look(
    feature_file: str | Path,
    label_file: str | Path,
    seen_file: str | Path,
    epochs: Mapping[Study, str | Path],
    searches: Mapping[Study, Mapping[str, Any]],
    estimates: Sequence[str | Path],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fig. 1 and the recovery of hidden labels, for linear studies that see observed positives only.

    Args:
        feature_file: features of the training images, and perhaps of others.
        label_file: all labels of the training images.
        seen_file: what was observed of them.
        epochs: study → its classifier after each epoch.
        searches: study → what was searched, for the best epoch.
        estimates: ROLE's label estimates, if it is among the studies.

    Returns:
        The distribution of the scores of hidden positives: loss, epoch from 0, from (where a bin begins) and share; and
        one row per loss, and one for ROLE's estimates, with what `recovery` gives.
    """
    labels, seen = LabelMatrix.load(label_file), Observed.load(seen_file)
    truth = labels.labels[labels.rows_of(seen.image_id, name=str(label_file), other=str(seen_file))]
    (x,) = features.rows(feature_file, seen.image_id)
    hidden_positive = (truth == 1) & (seen.labels == 0)
    shares, recovered = [], []
    for study, path in epochs.items():
        with h5py.File(path, "r", locking=False) as file:
            weights, bias = file["weights"][()], file["bias"][()]
        best = searches[study]["chosen"]["epoch"]
        for epoch in range(len(weights)):
            scores = linear_scores(x, weights[epoch], bias[epoch])
            found = distribution(scores[hidden_positive])
            shares += [
                {"loss": study.loss, "epoch": epoch, "from": number / BINS, "share": share}
                for number, share in enumerate(found.tolist())
            ]
            if epoch == best:
                recovered.append({"loss": study.loss, "by": "scores"} | recovery(truth, seen.labels, scores))
    for path in estimates:
        estimated = load_estimates(path, seen.image_id)
        recovered.append({"loss": "role", "by": "estimates"} | recovery(truth, seen.labels, estimated))
    return pd.DataFrame(shares), pd.DataFrame(recovered)
