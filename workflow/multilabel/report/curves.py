"""The curves behind the numbers as long tables: training, average precision by class, precision against recall."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays
from multilabel.evaluation import metrics

LEVELS = np.linspace(0, 1, 101)
"""The recalls at which precision is read off."""


def read(logs: Iterable[str | Path], timings: Iterable[str | Path] = ()) -> dict[str, pd.DataFrame]:
    """The log of each run by its name: epoch (from 0), loss, acc, val_loss, val_acc; and seconds, if timings are given.

    Args:
        logs: `…/{run}/log.csv`.
        timings: `…/{run}.csv`, with the measured seconds of each epoch.

    Raises:
        ValueError: a timing is of other epochs than its log; the message names it.
    """
    found = {Path(path).parent.name: pd.read_csv(path) for path in logs}
    for path in timings:
        run, timing = Path(path).stem, pd.read_csv(path)
        if not timing["epoch"].equals(found[run]["epoch"]):
            raise ValueError(f"{path}: expected the {len(found[run])} epochs of its run's log, found {len(timing)}")
        found[run] = found[run].assign(seconds=timing["seconds"])
    return found


def read_repeats(logs: Iterable[str | Path]) -> dict[str, list[pd.DataFrame]]:
    """The logs of runs that were trained with several seeds, `…/{seed}/top_models/{run}/log.csv`, by the run's name."""
    found: dict[str, list[pd.DataFrame]] = {}
    for path in logs:
        found.setdefault(Path(path).parent.name, []).append(pd.read_csv(path))
    return found


def training(logs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The epochs of all runs below each other: curve (the run), epoch, loss, val_loss, acc, val_acc.

    Args:
        logs: run name → its log.
    """
    columns = ["epoch", "loss", "val_loss", "acc", "val_acc"]
    return pd.concat(
        [log[columns].assign(curve=run)[["curve", *columns]] for run, log in logs.items()], ignore_index=True
    )


def average_precision(truth: ArrayLike, scores: ArrayLike, classes: Sequence[str]) -> pd.DataFrame:
    """One row per class, in their order: class, images (that have it), average_precision.

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        classes: L names.
    """
    return pd.DataFrame(
        {
            "class": list(classes),
            "images": np.asarray(truth).sum(axis=0, dtype=np.int64),
            "average_precision": metrics.average_precision_per_class(truth, scores),
        }
    )


def precision_recall(truth: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """Precision where thresholds, from the highest score down, first reach a recall of 0, 0.01 … 1.

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.

    Returns:
        Columns curve, recall, precision. `micro` takes all pairs of image and class together, `macro` is the mean of
        the curves of the classes that have images.
    """
    y, h = arrays.truth_and_scores(truth, scores)
    curves = {
        "micro": _precision(y.ravel(), h.ravel()),
        "macro": np.mean([_precision(y[:, j], h[:, j]) for j in np.flatnonzero(y.any(axis=0))], axis=0),
    }
    rows = [pd.DataFrame({"curve": name, "recall": LEVELS, "precision": curve}) for name, curve in curves.items()]
    return pd.concat(rows, ignore_index=True)


def _precision(truth: NDArray[np.bool_], scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Precision at each level of recall of one ranking; equal scores pass a threshold together."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found = np.cumsum(truth[order])[last]
    # Whole numbers are compared: as a quotient, a recall of 0.07 may lie above or below 7 of 100.
    reached = np.searchsorted(found, np.ceil(np.round(LEVELS * found[-1], 9)))
    return (found / (last + 1))[reached]
