"""Images on disk as samples: decoded once into memory if they fit, else in each epoch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from multilabel.images.decode import batches
from multilabel.training import sources
from multilabel.training.sources import Chunk, InMemory, Source

BATCHES_PER_CHUNK = 8


@dataclass(frozen=True)
class ImageFiles:
    """Images on disk as a source of samples: decoded ahead, in another order in each epoch."""

    paths: Sequence[Path]
    labels: np.ndarray
    size: tuple[int, int]
    seed: int
    workers: int
    damaged: str
    orient: bool = True

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """Some batches at a time; see `Source`.

        Raises:
            DamagedImagesError: images are damaged or missing, and `damaged` is "stop".
            ValueError: no image is left.
        """
        count = len(self.paths)
        order = np.arange(count) if epoch is None else sources.permutation(count, self.seed, epoch)
        ordered = [self.paths[row] for row in order.tolist()]
        together, found = batch_size * BATCHES_PER_CHUNK, False
        decoded = batches(ordered, self.size, together, workers=self.workers, damaged=self.damaged, orient=self.orient)
        for places, pixels in decoded:
            found, rows = True, order[places]
            yield Chunk(pixels, self.labels[rows], np.arange(len(rows)), rows)
        if not found:
            raise ValueError(f"{self.paths[0].parent}: expected at least one readable image of {count}, found none")


def source(
    paths: Sequence[Path],
    labels: np.ndarray,
    size: tuple[int, int],
    *,
    seed: int,
    memory_gb: float,
    reading: Mapping[str, Any],
) -> Source:
    """Images as a source: decoded once into memory up to a size, else read from disk in each epoch.

    Args:
        paths: the images.
        labels: what belongs to them, N×L.
        size: height and width to which they are resized.
        seed: of the orders of the epochs.
        memory_gb: what the decoded images may take.
        reading: how images are read: workers, damaged, orient.

    Raises:
        DamagedImagesError: images are damaged or missing, and `damaged` is "stop".
        ValueError: no image is left.
    """
    if len(paths) * size[0] * size[1] * 3 > memory_gb * 1e9:
        return ImageFiles(paths, labels, size, seed, **reading)
    found = list(batches(paths, size, 256, **reading))
    if not found:
        raise ValueError(f"{paths[0].parent}: expected at least one readable image of {len(paths)}, found none")
    kept = np.concatenate([rows for rows, _ in found])
    pixels = np.concatenate([pixels for _, pixels in found])
    return InMemory(tf.constant(pixels), tf.constant(labels[kept]), seed, kept)
