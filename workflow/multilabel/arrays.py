"""What arrays of labels and scores must be: matrices of N images × L labels, checked once where they come in.

Both may be masked arrays of NumPy: a masked pair of image and label counts neither way. It is then no true and no
predicted label, and its score is −∞, below all others.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_labels(array: ArrayLike, name: str = "truth") -> NDArray[np.bool_]:
    """The labels as an N×L matrix of booleans, False where they are masked.

    Raises:
        ValueError: not a matrix, or values other than 0 and 1; the message begins with `name`.
    """
    matrix = _matrix(np.ma.filled(array, 0) if np.ma.is_masked(array) else array, name)
    if matrix.dtype == bool:
        return matrix
    valid = (matrix == 0) | (matrix == 1)
    if not valid.all():
        found = ", ".join(str(value) for value in np.unique(matrix[~valid])[:5])
        raise ValueError(f"{name}: expected only 0 and 1, found {np.sum(~valid)} other values such as {found}")
    return matrix.astype(bool)


def checked_scores(array: ArrayLike, name: str = "scores") -> NDArray[np.floating[Any]]:
    """The scores as an N×L matrix of floats in their own precision; integers and booleans become float64.

    They are −∞ where they are masked.

    Raises:
        ValueError: not a matrix, not numbers, or a value that is NaN or infinite; the message begins with `name`.
    """
    if np.ma.is_masked(array):
        rest = checked_scores(np.ma.filled(array, 0), name)
        return np.where(np.ma.getmaskarray(np.ma.asarray(array)), rest.dtype.type(-np.inf), rest)
    matrix = _matrix(array, name)
    if matrix.dtype.kind in "biu":
        return matrix.astype(np.float64)
    if matrix.dtype.kind != "f":
        raise ValueError(f"{name}: expected real numbers, found the type {matrix.dtype}")
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"{name}: expected finite numbers, found {np.isnan(matrix).sum()} NaN, {np.isinf(matrix).sum()} infinite, "
            f"the first in row {row}, column {column}; a training that diverged gives such scores"
        )
    return matrix


def truth_and_scores(truth: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]:
    """Labels and scores of the same images and classes, what is masked in either counting in neither.

    Raises:
        ValueError: as the two above, or the shapes differ.
    """
    y, h = checked_labels(truth), checked_scores(scores)
    _require_same_shape(y, h, "scores")
    mask = _mask(truth, scores)
    return (y, h) if mask is None else (y & ~mask, np.where(mask, h.dtype.type(-np.inf), h))


def masked_alike(truth: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]:
    """The same as masked arrays with one mask, for functions that check again; plain where nothing is masked."""
    y, h = truth_and_scores(truth, scores)
    mask = _mask(truth, scores)
    return (y, h) if mask is None else (np.ma.masked_array(y, mask), np.ma.masked_array(h, mask))


def counted(truth: ArrayLike) -> NDArray[np.bool_] | None:
    """Which pairs of masked labels count, N×L; None where all do."""
    return ~np.ma.getmaskarray(np.ma.asarray(truth)) if np.ma.is_masked(truth) else None


def truth_and_predicted(truth: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """True and predicted labels of the same images and classes, what is masked in either counting in neither.

    Raises:
        ValueError: as `checked_labels`, or the shapes differ.
    """
    y, z = checked_labels(truth), checked_labels(predicted, "predicted")
    _require_same_shape(y, z, "predicted")
    mask = _mask(truth, predicted)
    return (y, z) if mask is None else (y & ~mask, z & ~mask)


def _mask(truth: ArrayLike, other: ArrayLike) -> NDArray[np.bool_] | None:
    """What is masked in either; None for nothing."""
    found = [np.ma.getmaskarray(np.ma.asarray(array)) for array in (truth, other) if np.ma.is_masked(array)]
    return np.logical_or.reduce(found) if found else None


def _matrix(array: ArrayLike, name: str) -> NDArray[Any]:
    matrix = np.asarray(array)
    if matrix.ndim != 2:
        raise ValueError(f"{name}: expected a matrix of images × labels, found an array of shape {matrix.shape}")
    return matrix


def _require_same_shape(truth: NDArray[Any], other: NDArray[Any], name: str) -> None:
    if truth.shape != other.shape:
        raise ValueError(f"expected truth and {name} of one shape, found truth {truth.shape}, {name} {other.shape}")
