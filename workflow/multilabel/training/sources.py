"""Where training gets its samples: an epoch is a sequence of chunks, each in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np


class Chunk(NamedTuple):
    """Samples x (n×…) with labels y (n×L), and the positions in x that steps visit, in that order: int64 (m,).

    `rows`, int64 (n,), says which sample of the whole source each is; None: the positions in x are those of the source.
    """

    x: Any
    y: Any
    order: np.ndarray
    rows: np.ndarray | None = None


class Source(Protocol):
    """Where samples come from: an epoch is a sequence of chunks, each small enough for memory."""

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """The samples in the order of this epoch, each at most once; in their own order for None.

        Every chunk but the last holds a multiple of the batch size.
        """


@dataclass(frozen=True)
class InMemory:
    """Samples that fit in memory: one chunk, visited in another order in each epoch; `rows` as in `Chunk`."""

    x: Any
    y: Any
    seed: int
    rows: np.ndarray | None = None

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """One chunk; see `Source`."""
        count = len(self.y)
        order = np.arange(count) if epoch is None else permutation(count, self.seed, epoch)
        yield Chunk(self.x, self.y, order, self.rows)


@dataclass(frozen=True)
class Labelled:
    """A source whose samples have other labels: `y` has those of all its samples."""

    source: Source
    y: Any

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """The source's chunks; see `Source`."""
        for chunk in self.source.chunks(epoch, batch_size):
            yield chunk._replace(y=self.y[np.arange(len(chunk.y)) if chunk.rows is None else chunk.rows])


def permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of `count` samples in an epoch, int64: a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(count)
