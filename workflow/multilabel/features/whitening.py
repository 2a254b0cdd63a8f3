"""ZCA whitening of bottleneck features."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from scipy import linalg

from multilabel.features.files import BLOCK, opened
from multilabel.files import complete_or_absent


class Whitening(NamedTuple):
    """`mean` float64 (D,) and the symmetric `matrix` float64 D×D: whitened features are (x − mean)·matrix."""

    mean: np.ndarray
    matrix: np.ndarray


def fit(path: str | Path, epsilon: float) -> Whitening:
    """The ZCA transform of a feature file: mean 0 and, with a small `epsilon`, covariance 1, as near to x as can be.

    The matrix is U·(Λ + ε·λ)^(−½)·Uᵀ with the covariance U·Λ·Uᵀ and λ the mean of Λ. The file is read in blocks, so
    memory holds D² numbers and not N·D (Bell and Sejnowski 1997; Krizhevsky and Hinton 2009, appendix A).

    Args:
        path: a feature file, N×D.
        epsilon: share of the mean variance that is added to each; directions of less variance than that stay small.

    Raises:
        ValueError: the file is damaged or something else, or all of its rows are equal; the message names it.
    """
    count = sum(len(block) for block in _blocks(path))
    mean = sum(block.sum(axis=0) for block in _blocks(path)) / count
    # Another pass: products of centred rows lose no digits where the mean is large.
    covariance = sum((block - mean).T @ (block - mean) for block in _blocks(path)) / count
    variances, directions = linalg.eigh(covariance)
    variances = np.maximum(variances, 0)
    if not variances.max() > 0:
        raise ValueError(f"{path}: expected features that differ between images, found {count} equal rows")
    return Whitening(mean, directions / np.sqrt(variances + epsilon * variances.mean()) @ directions.T)


def apply(whitening: Whitening, source: str | Path, target: str | Path) -> None:
    """Write whitened features, N×D float32 with their image ids, block by block.

    Raises:
        ValueError: `source` is damaged or something else; the message names it.
    """
    with complete_or_absent(target) as temporary, h5py.File(temporary, "w") as file:
        with opened(source) as original:
            file["image_id"] = original["image_id"][()]
            file.attrs.update(original.attrs)
            file.create_dataset("features", original["features"].shape, np.float32)
        start = 0
        for block in _blocks(source):
            file["features"][start : start + len(block)] = (block - whitening.mean) @ whitening.matrix
            start += len(block)


def _blocks(path: str | Path) -> Iterator[np.ndarray]:
    """The rows of a feature file, some at a time, float64."""
    with opened(path) as file:
        stored = file["features"]
        rows = max(1, BLOCK // (8 * stored.shape[1]))
        for start in range(0, len(stored), rows):
            yield stored[start : start + rows].astype(np.float64)
