"""Feature files as samples: in memory, or read in windows where they do not fit."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf

from multilabel.features import files as features_
from multilabel.training.sources import Chunk, InMemory, Source

BLOCK_BYTES = 4 << 20
"""Contiguous rows that are read together: enough that a disk does not mainly seek."""
WINDOWS = 8
"""Parts of the memory. Up to four hold samples: those in training, what TensorFlow copies of them, and those ahead."""


@dataclass(frozen=True)
class FeatureFile:
    """Features that do not fit in memory: read in windows, each ahead of its use.

    In an epoch, blocks of contiguous rows are shuffled, their sequence is cut into windows, and the rows of a window
    are shuffled. `y` has what belongs to each row of the file.
    """

    path: Path
    y: np.ndarray
    seed: int
    memory_gb: float

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """One window at a time; see `Source`.

        Raises:
            ValueError: the file is damaged; the message names it.
        """
        with features_.opened(self.path) as file, ThreadPoolExecutor(1) as reader:
            stored = file["features"]
            row_bytes = stored.dtype.itemsize * stored.shape[1]
            window = max(1, int(self.memory_gb * 1e9 / WINDOWS / row_bytes) // batch_size) * batch_size
            rng = None if epoch is None else np.random.default_rng([self.seed, epoch])
            rows = np.arange(len(stored)) if rng is None else _in_blocks(len(stored), BLOCK_BYTES // row_bytes, rng)
            windows = [rows[start : start + window] for start in range(0, len(rows), window)]
            ahead = reader.submit(_read, stored, windows[0])
            for place, found in enumerate(windows):
                x = ahead.result()
                if place + 1 < len(windows):
                    ahead = reader.submit(_read, stored, windows[place + 1])
                order = np.arange(len(found)) if rng is None else rng.permutation(len(found))
                yield Chunk(x, self.y[found], order, found)
                del x


def source(
    path: str | Path, y_of: Callable[[np.ndarray], np.ndarray], seed: int, memory_gb: float
) -> tuple[Source, int]:
    """A feature file as a source, kept in memory up to a size; and how many numbers a sample has.

    Args:
        path: see `features.load`.
        y_of: image ids (N,) → what belongs to them, N×….
        seed: of the orders of the epochs.
        memory_gb: larger files are read in windows.
    """
    with features_.opened(path) as file:
        stored = file["features"]
        if stored.size * stored.dtype.itemsize > memory_gb * 1e9:
            return FeatureFile(Path(path), y_of(file["image_id"][()]), seed, memory_gb), stored.shape[1]
        return InMemory(_in_memory(stored), y_of(file["image_id"][()]), seed), stored.shape[1]


def _in_memory(stored: h5py.Dataset) -> tf.Tensor:
    """A matrix on disk as a tensor; on CPUs without the two copies that TensorFlow makes of an array."""
    x = _aligned(stored.shape, stored.dtype)
    stored.read_direct(x)
    if tf.config.get_visible_devices("GPU"):
        return tf.constant(x)
    return tf.experimental.dlpack.from_dlpack(x.__dlpack__())


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that begins where TensorFlow's own tensors may: at a multiple of 64 bytes. Its content is arbitrary."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def _in_blocks(count: int, block: int, rng: np.random.Generator) -> np.ndarray:
    """The rows 0…count−1 in a random order of blocks of contiguous ones."""
    starts = np.arange(0, count, max(1, block))
    return np.concatenate([np.arange(start, min(start + max(1, block), count)) for start in rng.permutation(starts)])


def _read(stored: h5py.Dataset, rows: np.ndarray) -> np.ndarray:
    """Some rows of a matrix on disk, in that order; contiguous ones at once."""
    found = np.empty((len(rows), stored.shape[1]), stored.dtype)
    done = 0
    for part in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
        stored.read_direct(found, np.s_[part[0] : part[-1] + 1], np.s_[done : done + len(part)])
        done += len(part)
    return found
