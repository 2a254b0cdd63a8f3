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
from multilabel.files import complete_or_absent
from multilabel.labels import LabelMatrix

SEED = 1200
"""The published one, of the training labels, the test labels and the validation split alike."""
VALIDATION = 0.2
"""The share of the training images that is held out, with all of its labels."""
SUPERVISION = {
    "bce": "all",
    "bce_ls": "all",
    "iun": "positives and all negatives",
    "iu": "positives and one negative",
}
"""What a loss sees beside the observed positives; the others see nothing."""


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


def for_loss(loss: str, labels: NDArray[np.uint8], observed: NDArray[np.int8]) -> NDArray[np.int8]:
    """What a loss is given, int8 N×L: the observed labels, and beside them only what its definition names.

    Args:
        loss: a name of `losses.TITLES`.
        labels: the whole truth N×L, 0 or 1, for BCE, BCE-LS and IUN.
        observed: drawn with one negative per image, which is for IU only.
    """
    match SUPERVISION.get(loss):
        case "all":
            return labels.astype(np.int8)
        case "positives and all negatives":
            return np.where(labels == 0, -1, observed > 0).astype(np.int8)
        case "positives and one negative":
            return observed
    return (observed > 0).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Observed:
    """What is observed of images: `image_id` (N,), `classes` L names, `labels` int8 N×L, see `draw`."""

    image_id: NDArray[np.int64]
    classes: tuple[str, ...]
    labels: NDArray[np.int8]

    def save(self, path: str | Path) -> None:
        """Write it as HDF5."""
        with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
            file["observed"] = self.labels
            file["image_id"] = self.image_id
            file.attrs.create("classes", list(self.classes), dtype=h5py.string_dtype())

    @classmethod
    def load(cls, path: str | Path) -> "Observed":
        """Read what `save` wrote.

        Raises:
            ValueError: the file is missing, damaged or something else; the message names it.
        """
        try:
            with h5py.File(path, "r", locking=False) as file:
                return cls(file["image_id"][()], tuple(file.attrs["classes"].tolist()), file["observed"][()])
        except (OSError, KeyError) as error:
            raise ValueError(
                f"{path}: expected an HDF5 file of observed labels; {error}. Remove it to make it again"
            ) from error

    def of(self, image_id: NDArray[np.int64], classes: tuple[str, ...], *, name: str, other: str) -> NDArray[np.int8]:
        """What is observed of some images, n×L; `name` and `other` are the files of this and of those, for the errors.

        Raises:
            ValueError: the classes are others, images are missing here, or one has no observed positive label.
        """
        if self.classes != classes:
            raise ValueError(
                f"{name}: expected observed labels of the {len(classes)} classes of {other}, "
                f"found {len(self.classes)}: {', '.join(self.classes[:5])}, …. Make both from the same dataset"
            )
        matrix = LabelMatrix(self.image_id, ("",) * len(self.image_id), self.classes, self.labels > 0)
        rows = matrix.rows_of(image_id, name=name, other=other)
        without = image_id[~matrix.labels[rows].any(axis=1)]
        if len(without):
            raise ValueError(
                f"{name}: expected a positive label of every training image, found none of {len(without)}: "
                f"{', '.join(map(str, without[:5]))}{', …' if len(without) > 5 else ''}"
            )
        return self.labels[rows]


def _number(wanted: float, there: int) -> int:
    """How many of an image's labels are observed."""
    return int(min(wanted, there)) if wanted >= 1 else max(1, round(wanted * there))
