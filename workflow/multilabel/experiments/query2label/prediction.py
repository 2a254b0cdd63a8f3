"""What a model file says of the images of a split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.query2label import model
from multilabel.experiments.query2label.preparation import preparation
from multilabel.networks.folding import fold
from multilabel.training import loop
from multilabel.training.image_files import ImageFiles


def scores(
    path: str | Path, labels: LabelMatrix, folder: str | Path, *, reading: Mapping[str, Any], batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Image ids (N,) and scores N×L, float32.

    Args:
        path: the model file.
        labels: the images, and the classes that the model has to have.
        folder: where they lie.
        reading: how images are read: workers, damaged, orient.
        batch_size: images per forward pass.

    Raises:
        ValueError: the model has other classes; the message names the file.
    """
    file = export.load(path)
    if file.classes != labels.classes:
        raise ValueError(f"{path}: expected the classes {labels.classes[:3]} …, found {file.classes[:3]} …")
    paths = [Path(folder, name) for name in labels.file_name]
    source = ImageFiles(paths, np.arange(len(labels)), file.size, 0, **reading)
    score = loop.scorer(fold(model.of_file(file)), batch_size=batch_size, prepare=preparation(file.preprocess))
    rows, found = score(source)
    return labels.image_id[rows], found
