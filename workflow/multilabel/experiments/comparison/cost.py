"""What methods cost: labels, parameters, seconds and memory of training; time per image and size of the model file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.comparison.tables import COSTS
from multilabel.files import read_json
from multilabel.methods import Method, Run

MEGABYTE = 1e6
SHOWN = ["method", "mAP", *COSTS]


def inference(models: Mapping[str, str | Path], *, batch_size: int) -> pd.DataFrame:
    """A row per model file: name, `ms per image`, `file MB`.

    Args:
        models: name of the method → its model file.
        batch_size: decoded images per call.
    """
    rows = []
    for name, path in models.items():
        model = export.load(path)
        _, scores = export.network(model)
        taken = export.milliseconds(scores, model.size, batch_size=batch_size)
        rows.append((name, taken, Path(path).stat().st_size / MEGABYTE))
    return pd.DataFrame(rows, columns=["name", "ms per image", "file MB"])


def table(
    quality: pd.DataFrame,
    methods: Mapping[str, Method],
    candidates: Mapping[str, int],
    results: str | Path,
    measured: pd.DataFrame,
    train: LabelMatrix,
) -> pd.DataFrame:
    """A row per method in the order of `quality`: name, method, mAP with its bounds, and the columns of `COSTS`.

    Args:
        quality: see `tables.quality`.
        methods: by name.
        candidates: name → which of its candidates is compared.
        results: the folder of the dataset's results.
        measured: what `inference` gave.
        train: the labels of the training images.
    """
    found = quality[["name", "method", "mAP", "mAP low", "mAP high"]].merge(measured, on="name", how="left")
    for place, name in enumerate(found["name"]):
        method = methods[name]
        of_training = _training(method.candidates[candidates[name]][0], Path(results))
        positives = np.minimum(train.labels.sum(axis=1, dtype=np.int64), method.labels).sum()
        for column, value in {"positive labels": positives, **of_training}.items():
            found.loc[place, column] = value
    return found[["name", "method", "mAP", "mAP low", "mAP high", *COSTS]]


def _training(run: Run, results: Path) -> dict[str, float]:
    """What training of a run took: all that it builds on, but for the base network and its features."""
    timings = [pd.read_csv(results / path) for path in run.timing]
    return {
        "trained parameters": read_json(results / run.record)["results"]["trained_parameters"] if run.record else 0,
        "training s": sum(float(timing["seconds"].sum()) for timing in timings),
        "training MB": max((float(timing["memory_mb"].max()) for timing in timings), default=np.nan),
    }
