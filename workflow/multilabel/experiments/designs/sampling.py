"""Balanced sampling: training images drawn so that rare classes are seen as often as frequent ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from multilabel.training.sources import Chunk, InMemory


@dataclass(frozen=True)
class Balanced:
    """Samples in memory, of which an epoch draws as many as there are, with replacement.

    For each, a class is drawn, each equally often, then one of its images: an image of two classes can come as either.
    Images without a label are not drawn. In their own order, as for validation, samples come each once.
    """

    samples: InMemory

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """One chunk; see `training.sources.Source`."""
        for chunk in self.samples.chunks(epoch, batch_size):
            if epoch is not None:
                chunk = chunk._replace(order=drawn(np.asarray(chunk.y), self.samples.seed, epoch))
            yield chunk


def drawn(labels: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The rows of an epoch, int64 (N,): a function of seed and epoch alone.

    Args:
        labels: N×L; 1 is a label.
        seed: of all epochs.
        epoch: its number.

    Raises:
        ValueError: there is no label.
    """
    images = [np.flatnonzero(column == 1) for column in labels.T]
    classes = np.flatnonzero([len(rows) for rows in images])
    if not len(classes):
        raise ValueError("balanced sampling: expected labels, found none")
    rng = np.random.default_rng([seed, epoch])
    # Each class as often as the others: the remainder goes to some of them at random.
    of_class = rng.permutation(np.resize(rng.permutation(classes), len(labels)))
    places = rng.random(len(labels))
    return np.array(
        [images[label][int(place * len(images[label]))] for label, place in zip(of_class, places, strict=True)]
    )
