"""What arrays of labels and scores must be: matrices of N images × L labels, checked once where they come in."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_labels(array: ArrayLike, name: str = "truth") -> NDArray[np.bool_]:
    """The labels as an N×L matrix of booleans.

    Raises:
        ValueError: not a matrix, or values other than 0 and 1; the message begins with `name`.
    """
    matrix = _matrix(array, name)
    if matrix.dtype == bool:
        return matrix
    valid = (matrix == 0) | (matrix == 1)
    if not valid.all():
        found = ", ".join(str(value) for value in np.unique(matrix[~valid])[:5])
        raise ValueError(f"{name}: expected only 0 and 1, found {np.sum(~valid)} other values such as {found}")
    return matrix.astype(bool)


def checked_scores(array: ArrayLike, name: str = "scores") -> NDArray[np.floating[Any]]:
    """The scores as an N×L matrix of floats in their own precision; integers and booleans become float64.

    Raises:
        ValueError: not a matrix, not numbers, or a value that is NaN or infinite; the message begins with `name`.
    """
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
    """Labels and scores of the same images and classes; raises ValueError as the two above, or by shape."""
    y, h = checked_labels(truth), checked_scores(scores)
    _require_same_shape(y, h, "scores")
    return y, h


def truth_and_predicted(truth: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """True and predicted labels of the same images and classes; raises ValueError as `checked_labels`, or by shape."""
    y, z = checked_labels(truth), checked_labels(predicted, "predicted")
    _require_same_shape(y, z, "predicted")
    return y, z


def _matrix(array: ArrayLike, name: str) -> NDArray[Any]:
    matrix = np.asarray(array)
    if matrix.ndim != 2:
        raise ValueError(f"{name}: expected a matrix of images × labels, found an array of shape {matrix.shape}")
    return matrix


def _require_same_shape(truth: NDArray[Any], other: NDArray[Any], name: str) -> None:
    if truth.shape != other.shape:
        raise ValueError(f"expected truth and {name} of one shape, found truth {truth.shape}, {name} {other.shape}")
