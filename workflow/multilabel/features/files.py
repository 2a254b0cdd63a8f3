"""Files of features, read whole or piece by piece."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

BLOCK = 1 << 24
"""Bytes that are read at once where rows are checked or copied."""

Design = tuple[str, str]
"""(preprocess, pooling), such as ("zmuvs", "avg")."""


class Features(NamedTuple):
    """`image_id` int64 (N,) and `features` N×D: float32, or float16 of whole feature maps."""

    image_id: np.ndarray
    features: np.ndarray


def design_name(design: Design) -> str:
    """How names of files and of tensors write a design: `zmuvs_avg`."""
    return "_".join(design)


def load(path: str | Path) -> Features:
    """Read a feature file into memory.

    Raises:
        ValueError: it is missing, cut short or something else; the message names it.
    """
    with opened(path) as file:
        return Features(file["image_id"][()], file["features"][()])


@contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """A feature file, open for reading: `image_id` int64 (N,) and `features` N×D.

    Raises:
        ValueError: it is missing, cut short or something else, now or while it is read; the message names it.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except (OSError, KeyError) as error:
        raise ValueError(
            f"{path}: expected HDF5 with image_id and features; {error}. Remove it to make it again"
        ) from error
