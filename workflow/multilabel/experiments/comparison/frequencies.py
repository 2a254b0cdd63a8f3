"""What one knows without looking: every image scores how frequent a class is among training images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from multilabel import provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.comparison.names import FREQUENCIES
from multilabel.files import write_json


def write(train: str | Path, label_files: Mapping[str, str | Path], folder: str | Path) -> None:
    """Write the method as a run: scores of splits, and `runs/frequencies/run.json` with its L numbers.

    Args:
        train: label file of the training images.
        label_files: split → its label file.
        folder: the experiment's.
    """
    shares = of_labels(LabelMatrix.load(train))
    for split, path in label_files.items():
        image_id = LabelMatrix.load(path).image_id
        predictions.save(predictions.path_of(folder, FREQUENCIES, split), image_id, np.tile(shares, (len(image_id), 1)))
    record = {"inputs": provenance.digests([train, *label_files.values()]), "versions": provenance.versions()}
    results = {"trained_parameters": len(shares), "shares": shares.tolist()}
    write_json(Path(folder, "runs", FREQUENCIES, "run.json"), record | {"results": results})


def of_labels(train: LabelMatrix) -> np.ndarray:
    """The share of the training images that have each class, float32 L; what is ignored counts neither way."""
    return np.ma.filled(np.ma.asarray(train.truth).mean(axis=0), 0).astype(np.float32)
