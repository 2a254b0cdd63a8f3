"""The five metrics of Dong et al. (2015), of what the classifiers of `protocol` gave; apart from what trains them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import metrics
from multilabel.experiments.miml.protocol import load_values

METRICS: Mapping[str, tuple[Callable[..., float], str]] = {
    "average precision": (metrics.image_average_precision, "↑"),
    "coverage": (metrics.coverage, "↓"),
    "Hamming loss": (lambda truth, scores: metrics.hamming_loss(truth, scores > 0), "↓"),
    "one error": (metrics.one_error, "↓"),
    "ranking loss": (metrics.ranking_loss, "↓"),
}
"""The five metrics of the paper's Table 1, of truth and decision values, and whether high or low values are good."""


def measured(value_files: Iterable[str | Path], label_file: str | Path) -> pd.DataFrame:
    """Split, classifier, images (that trained), and a column per metric, of the files that `protocol` has saved."""
    labels = LabelMatrix.load(label_file)
    rows: list[dict[str, Any]] = []
    for path in value_files:
        for found in load_values(path):
            truth = labels.labels[labels.rows_of(found.image_id, name=str(label_file), other=str(path))]
            values = {name: metric(truth, found.values) for name, (metric, _) in METRICS.items()}
            rows.append({"split": found.split, "classifier": found.classifier, "images": found.images, **values})
    return pd.DataFrame(rows)
