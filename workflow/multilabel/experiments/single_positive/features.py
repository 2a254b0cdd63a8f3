"""Features of some images, from a file that has those of more."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from multilabel.features import files

PART = 64 << 20
"""Bytes that are read at once."""
ALIGNMENT = 64
"""Bytes; what TensorFlow asks of memory that it shares."""


def rows(path: str | Path, *wanted: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    """The features of images n×D, by their ids (n,), in that order; one `empty` for each of several groups of images.

    The file is read in parts, so that it is never in memory beside what is taken from it.

    Raises:
        ValueError: the file is damaged or has no features of an image; the message names it.
    """
    with files.opened(path) as file:
        image_id, stored = file["image_id"][()], file["features"]
        places = [_places(path, image_id, ids) for ids in wanted]
        found = [empty(len(ids), stored.shape[1]) for ids in wanted]
        step = max(1, PART // (stored.shape[1] * stored.dtype.itemsize))
        for start in range(0, len(image_id), step):
            part = stored[start : start + step]
            for into, at in zip(found, places, strict=True):
                here = np.flatnonzero((at >= start) & (at < start + step))
                into[here] = part[at[here] - start]
    return found


def empty(count: int, width: int) -> NDArray[np.float32]:
    """A matrix that TensorFlow can take as it lies: it begins at a multiple of 64 bytes."""
    room = np.empty(count * width * 4 + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + count * width * 4].view(np.float32).reshape(count, width)


def _places(path: str | Path, known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.intp]:
    order = np.argsort(known)
    places = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(order) - 1)]
    missing = wanted[known[places] != wanted]
    if len(missing):
        raise ValueError(
            f"{path}: expected features of all images that have labels, found none of {len(missing)}: "
            f"{', '.join(map(str, missing[:5]))}{', …' if len(missing) > 5 else ''}"
        )
    return places
