"""What the validation images decide for a model file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from multilabel import provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, predictions


class Decided(NamedTuple):
    """What validation images decide: L classes, the threshold of each, and for a file's provenance where it is from."""

    classes: tuple[str, ...]
    thresholds: np.ndarray
    origin: Mapping[str, Any]


def decided(labels: str | Path, scores: str | Path) -> Decided:
    """Thresholds by which each class is predicted for as many validation images as have it.

    Args:
        labels: label file of the validation images.
        scores: a run's scores of them.

    Raises:
        ValueError: the files do not fit together.
    """
    validation = predictions.load_with_truth(scores, labels)
    return Decided(
        LabelMatrix.load(labels).classes,
        decisions.cardinality_thresholds(validation.scores, validation.truth),
        {
            "from": "as many images predicted per class as have it",
            "images": len(validation.truth),
            "inputs": provenance.digests([str(labels), str(scores)]),
        },
    )
