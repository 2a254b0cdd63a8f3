"""What of the labels is observed: one positive label per image as published, or any other number or share.

Cole et al. (2021) hide all labels of a fully labelled dataset but one positive per image, drawn once. Their code draws
from one generator that goes through the images in an order of its own; so the order is part of the result.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays
from multilabel.datasets.labels import LabelMatrix
from multilabel.files import complete_or_absent

SEED = 1200
"""The published one, of the training labels, the test labels and the validation split alike."""
VALIDATION = 0.2
"""The share of the training images that is held out, with all of its labels."""


def published_order(matrix: LabelMatrix) -> NDArray[np.intp]:
    """The rows of the images that have a label, in the published order: by image id, sorted as text.

    Crowds count as labels in the published data: 82,081 and 40,137 images of COCO 2014.
    """
    rows = np.flatnonzero(matrix.labels.any(axis=1))
    return rows[np.argsort(matrix.image_id[rows].astype(str), kind="stable")]


def split(count: int, *, fraction: float = VALIDATION, seed: int = SEED) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows that train and rows for validation, each sorted: of a permutation the last `round(fraction · count)`.

    Raises:
        ValueError: one of the parts would be empty.

    >>> [len(rows) for rows in split(82081)]
    [65665, 16416]
    """
    held_out = round(fraction * count)
    if not 0 < held_out < count:
        raise ValueError(f"a fraction of {fraction} of {count} images is {held_out}: one of the parts would be empty")
    order = np.random.RandomState(seed).permutation(count)
    return np.sort(order[: count - held_out]), np.sort(order[count - held_out :])


def draw(
    labels: ArrayLike, *, positives: float = 1, negatives: int = 0, seed: int = SEED, name: str = "labels"
) -> NDArray[np.int8]:
    """Choose what is observed: int8 N×L, 1 for an observed positive, −1 for an observed negative, 0 for what is hidden.

    For each image in turn the positive columns are shuffled in place and the first are kept, then the negative ones. So
    one positive with the published seed is the published draw, and more are those and others besides.

    Args:
        labels: N×L, 0 or 1, in the order in which the generator goes through the images.
        positives: how many per image at most, infinity for all; or, below 1, the share of each image's, at least one.
        negatives: how many per image at most.
        seed: of a fresh generator.
        name: where the labels come from, for errors.

    Raises:
        ValueError: a number is out of its range, or an image has no positive label; the message names rows.
    """
    truth = arrays.checked_labels(labels, name)
    whole = positives in (1, math.inf) or (positives > 1 and float(positives).is_integer())
    if not (whole or 0 < positives < 1) or negatives < 0:
        raise ValueError(
            "observed labels: expected a number of positives from 1, or a share between 0 and 1, and a number of "
            f"negatives from 0; found {positives} and {negatives}"
        )
    empty = np.flatnonzero(~truth.any(axis=1))
    if len(empty):
        raise ValueError(
            f"{name}: {len(empty)} image(s) have no positive label to observe, in rows "
            f"{', '.join(map(str, empty[:5]))}{', …' if len(empty) > 5 else ''}. Leave them out"
        )
    rng = np.random.RandomState(seed)
    observed = np.zeros(truth.shape, np.int8)
    for row, there in zip(observed, truth, strict=True):
        columns = np.flatnonzero(there)
        rng.shuffle(columns)
        row[columns[: _number(positives, len(columns))]] = 1
        columns = np.flatnonzero(~there)
        rng.shuffle(columns)
        row[columns[:negatives]] = -1
    return observed


def seen(supervision: str, labels: NDArray[np.uint8], drawn: NDArray[np.int8]) -> NDArray[np.int8]:
    """What losses are given, int8 N×L: the observed positives, and beside them only what their definition names.

    Args:
        supervision: a value of `runs.SUPERVISION`, or `positives`.
        labels: the whole truth N×L, 0 or 1; its hidden part is used for `everything` and `all_negatives` only.
        drawn: what is observed, with one negative per image.
    """
    match supervision:
        case "everything":
            return labels.astype(np.int8)
        case "all_negatives":
            return np.where(labels == 0, -1, drawn > 0).astype(np.int8)
        case "one_negative":
            return drawn
    return (drawn > 0).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Observed:
    """What is observed of training images: `image_id` and `file_name` (N,), `classes` L names, `labels` int8 N×L.

    All that training knows of its images: the file has nothing that is hidden from the losses that it is for.
    """

    image_id: NDArray[np.int64]
    file_name: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int8]

    def save(self, path: str | Path) -> None:
        """Write it as HDF5."""
        with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
            file["observed"] = self.labels
            file["image_id"] = self.image_id
            file.create_dataset("file_name", data=list(self.file_name), dtype=h5py.string_dtype())
            file.attrs.create("classes", list(self.classes), dtype=h5py.string_dtype())

    @classmethod
    def load(cls, path: str | Path) -> "Observed":
        """Read what `save` wrote.

        Raises:
            ValueError: the file is missing, damaged or something else; the message names it.
        """
        try:
            with h5py.File(path, "r", locking=False) as file:
                names = tuple(file["file_name"].asstr()[()].tolist())
                return cls(file["image_id"][()], names, tuple(file.attrs["classes"].tolist()), file["observed"][()])
        except (OSError, KeyError) as error:
            raise ValueError(
                f"{path}: expected an HDF5 file of observed labels; {error}. Remove it to make it again"
            ) from error

    def require(self, classes: tuple[str, ...], *, name: str, other: str) -> None:
        """Check that these are observed labels of a dataset with such classes, in which each image has a positive one.

        Args:
            classes: of the dataset.
            name: the file of these labels, for errors.
            other: the file that has the classes.

        Raises:
            ValueError: the classes are others, or an image has no observed positive label; the message names the files.
        """
        if self.classes != classes:
            raise ValueError(
                f"{name}: expected observed labels of the {len(classes)} classes of {other}, found "
                f"{len(self.classes)}: {', '.join(self.classes[:5])}{', …' if len(self.classes) > 5 else ''}. "
                "Make both from one dataset"
            )
        without = self.image_id[~(self.labels > 0).any(axis=1)]
        if len(without):
            raise ValueError(
                f"{name}: expected a positive label of every training image, found none of {len(without)}: "
                f"{', '.join(map(str, without[:5]))}{', …' if len(without) > 5 else ''}"
            )


def load_estimates(path: str | Path, image_id: NDArray[np.int64]) -> NDArray[np.float32]:
    """The label estimates N×L that a run of ROLE left of its training images, which have to be these (N,).

    Raises:
        ValueError: the file is damaged or is of other images; the message names it.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            found, estimates = file["image_id"][()], file["estimates"][()]
    except (OSError, KeyError) as error:
        raise ValueError(f"{path}: expected HDF5 with image_id and estimates; {error}") from error
    if not np.array_equal(found, image_id):
        raise ValueError(f"{path}: expected label estimates of the training images, found those of others")
    return estimates


def _number(wanted: float, there: int) -> int:
    """How many of an image's labels are observed."""
    return int(min(wanted, there)) if wanted >= 1 else max(1, round(wanted * there))
