"""The page of test images on which a click on a label shows where it looked."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.query2label.looks import Looks
from multilabel.report import gallery

MOST = 5000
"""Images on the page: its size is theirs, about 6 KB each with 80 labels."""


class Watched:
    """What a network says of the first images, kept while something else goes through all of them."""

    def __init__(self) -> None:
        self.image_id: list[int] = []
        self.scores: list[NDArray[np.float32]] = []
        self.maps: list[NDArray[np.uint8]] = []

    def through(self, looks: Iterable[Looks]) -> Iterator[Looks]:
        """The same looks; of the first MOST images scores and the last layer's maps are kept, a byte for a place."""
        for found in looks:
            room = MOST - len(self.image_id)
            self.image_id += found.image_id[:room].tolist()
            self.scores += list(found.scores[:room])
            last = found.maps[:room, -1]
            highest = last.max(axis=(-2, -1), keepdims=True)
            self.maps += list(np.round(255 * last / np.where(highest > 0, highest, 1)).astype(np.uint8))
            yield found


def write(path: str | Path, watched: Watched, model: str | Path, labels: str, images: str | Path, dataset: str) -> None:
    """Write the page.

    Args:
        path: of the page.
        watched: the images.
        model: the model file.
        labels: label file of their split.
        images: where they lie.
        dataset: its name.
    """
    file, matrix = export.load(model), LabelMatrix.load(labels)
    shown = matrix.subset(matrix.rows_of(np.array(watched.image_id), name=labels, other=str(model)))
    gallery.write(
        path,
        f"{dataset}: {len(shown):,} of {len(matrix):,} test images",
        f"Run {file.run}. A label is predicted where its score reaches the threshold of its class. Bold labels are "
        "true. In an opened image a click on a label shows where it looked.",
        labels=shown,
        images=images,
        thresholds=file.thresholds,
        scores=np.stack(watched.scores),
        maps=np.stack(watched.maps),
    )
