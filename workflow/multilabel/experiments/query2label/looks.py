"""What a network says of images, and where each label looked: as a file of examples."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from multilabel.files import complete_or_absent


class Looks(NamedTuple):
    """Scores N×L and attention N×layers×L×H×W of images (N,) by their ids."""

    image_id: np.ndarray
    scores: np.ndarray
    maps: np.ndarray


def save(path: str | Path, looks: Iterable[Looks]) -> None:
    """Write scores and attention of example images as HDF5: `image_id`, `scores` and `maps`."""
    found = list(looks)
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        for name in Looks._fields:
            file[name] = np.concatenate([getattr(part, name) for part in found])


def load(path: str | Path) -> Looks:
    """Read what `save` wrote."""
    with h5py.File(path, "r", locking=False) as file:
        return Looks(*(file[name][()] for name in Looks._fields))
