"""Which labels each image has, as a matrix whose rows are images and whose columns are classes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from multilabel.files import complete_or_absent

IGNORED = 255
"""What training is given in place of 0 or 1 where a pair of image and class counts neither way."""


@dataclass(frozen=True, eq=False)
class LabelMatrix:
    """Images and their labels.

    `image_id` int64 (N,), unique; `file_name` (N,), relative to the folder of images; `classes` L names, unique;
    `labels` uint8 N×L, 0 or 1; `coverage` float32 N×L, 0 to 1, or None: the share of an image that a class covers;
    `ignored` bool N×L, or None where there is no such pair: pairs of image and class that count neither way, as
    difficult objects of PASCAL VOC. Their label is 0.

    Raises:
        ValueError: the parts do not fit together; the message says which.
    """

    image_id: np.ndarray
    file_name: tuple[str, ...]
    classes: tuple[str, ...]
    labels: np.ndarray
    coverage: np.ndarray | None = None
    ignored: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_id", np.asarray(self.image_id, np.int64))
        object.__setattr__(self, "file_name", tuple(self.file_name))
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "labels", np.asarray(self.labels, np.uint8))
        shape = (len(self.image_id), len(self.classes))
        if self.labels.shape != shape or len(self.file_name) != len(self.image_id):
            raise ValueError(
                f"labels: expected {shape} (images, classes) and as many file names, "
                f"found {self.labels.shape} and {len(self.file_name)}"
            )
        for what, values in (("image ids", self.image_id.tolist()), ("class names", self.classes)):
            if len(set(values)) < len(values):
                twice = [value for value, count in Counter(values).items() if count > 1]
                raise ValueError(f"labels: expected different {what}, found twice: {', '.join(map(str, twice[:5]))}")
        if self.labels.size and self.labels.max() > 1:
            raise ValueError(f"labels: expected 0 or 1, found {self.labels.max()}")
        if self.coverage is not None:
            object.__setattr__(self, "coverage", np.asarray(self.coverage, np.float32))
            if self.coverage.shape != shape or not ((self.coverage >= 0) & (self.coverage <= 1)).all():
                raise ValueError(f"coverage: expected {shape} numbers from 0 to 1, found {self.coverage.shape}")
        if self.ignored is not None:
            ignored = np.asarray(self.ignored, bool)
            if ignored.shape != shape or self.labels[ignored].any():
                raise ValueError(
                    f"ignored: expected {shape} yes or no, and label 0 where yes, found {ignored.shape} and "
                    f"{self.labels[ignored].sum() if ignored.shape == shape else 'other'} labels of 1"
                )
            object.__setattr__(self, "ignored", ignored if ignored.any() else None)

    def __len__(self) -> int:
        return len(self.image_id)

    @property
    def targets(self) -> np.ndarray:
        """What a network is trained to give, N×L: coverage where there is one, else labels, IGNORED where ignored."""
        targets = self.labels if self.coverage is None else self.coverage
        return targets if self.ignored is None else np.where(self.ignored, targets.dtype.type(IGNORED), targets)

    @property
    def truth(self) -> np.ndarray:
        """The labels as metrics take them, N×L: a masked array where pairs are ignored, else `labels` themselves."""
        return self.labels if self.ignored is None else np.ma.masked_array(self.labels, self.ignored)

    def save(self, path: str | Path) -> None:
        """Write the matrix as HDF5: `labels`, `image_id`, `file_name`, the attribute `classes`; `coverage`, `ignored`.

        The last two are there only where the matrix has them.
        """
        with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
            file["labels"] = self.labels
            file["image_id"] = self.image_id
            file.create_dataset("file_name", data=list(self.file_name), dtype=h5py.string_dtype())
            file.attrs.create("classes", list(self.classes), dtype=h5py.string_dtype())
            for name in ("coverage", "ignored"):
                if getattr(self, name) is not None:
                    file[name] = getattr(self, name)

    @classmethod
    def load(cls, path: str | Path) -> "LabelMatrix":
        """Read what `save` wrote.

        Raises:
            ValueError: the file is missing, damaged or something else; the message names it.
        """
        try:
            with h5py.File(path, "r", locking=False) as file:
                names = file["file_name"].asstr()[()]
                classes = tuple(file.attrs["classes"].tolist())
                more = {name: file[name][()] for name in ("coverage", "ignored") if name in file}
                return cls(file["image_id"][()], tuple(names.tolist()), classes, file["labels"][()], **more)
        except (OSError, KeyError) as error:
            raise ValueError(f"{path}: expected an HDF5 file of labels; {error}. Remove it to make it again") from error

    def subset(self, rows: np.ndarray) -> "LabelMatrix":
        """Some of the images: positions, or a mask (N,)."""
        rows = np.arange(len(self))[rows]
        names = tuple(self.file_name[row] for row in rows)
        coverage, ignored = (None if part is None else part[rows] for part in (self.coverage, self.ignored))
        return LabelMatrix(self.image_id[rows], names, self.classes, self.labels[rows], coverage, ignored)

    def held_out(self, fraction: float, seed: int) -> tuple["LabelMatrix", "LabelMatrix"]:
        """A random part of the images, and the rest: (rest, part); both keep the order of the rows.

        Raises:
            ValueError: one of them would be empty.
        """
        count = round(fraction * len(self))
        if not 0 < count < len(self):
            raise ValueError(
                f"a fraction of {fraction} of {len(self)} images is {count}: one of the parts would be empty"
            )
        part = np.zeros(len(self), bool)
        part[np.random.default_rng(seed).permutation(len(self))[:count]] = True
        return self.subset(~part), self.subset(part)

    def rows_of(self, image_id: np.ndarray, *, name: str, other: str) -> np.ndarray:
        """The rows of some images; `name` and `other` are the files of this matrix and of the ids, for the error.

        Raises:
            ValueError: images are missing here; the message names both files and the first ids.
        """
        order = np.argsort(self.image_id)
        places = np.searchsorted(self.image_id, image_id, sorter=order)
        rows = order[np.minimum(places, len(order) - 1)]
        missing = np.asarray(image_id)[self.image_id[rows] != image_id]
        if len(missing):
            raise ValueError(
                f"{other}: {len(missing)} image(s) are not in {name}: {', '.join(map(str, missing[:5]))}"
                f"{', …' if len(missing) > 5 else ''}. Make both files from the same annotations"
            )
        return rows


def splits(
    train: LabelMatrix,
    test: LabelMatrix | None,
    *,
    held_out_test: tuple[float, int],
    held_out_validation: tuple[float, int],
    names_differ: bool = True,
) -> list[LabelMatrix]:
    """The matrices of train, val and, where validation images are a part of train, test.

    Args:
        train: the images of the training files.
        test: those of the test files; None: a part of train.
        held_out_test: that part as (fraction, seed).
        held_out_validation: the part of train that is the validation split; fraction 0: the test split serves as one.
        names_differ: refuse an image that has the same id and file name in train and test; False where those are
            numbered and named in a folder of their own each.

    Raises:
        ValueError: the splits differ in their classes, share images, one would be empty, or has no label at all; the
            message names the key.
    """
    if test is None:
        train, test = _held_out(train, *held_out_test, key="dataset.test.fraction")
    if train.classes != test.classes:
        only = [set(a.classes) - set(b.classes) for a, b in ((train, test), (test, train))]
        raise ValueError(
            "dataset.train and dataset.test have annotations of different categories: only in train "
            f"{sorted(only[0])[:5]}, only in test {sorted(only[1])[:5]}, or their ids are in another order"
        )
    names = dict(zip(train.image_id.tolist(), train.file_name, strict=True))
    shared = [key for key, name in zip(test.image_id.tolist(), test.file_name, strict=True) if names.get(key) == name]
    if shared and names_differ:
        raise ValueError(
            f"dataset.train and dataset.test: {len(shared)} image(s) are in both, with the same id and file name: "
            f"{', '.join(map(str, shared[:5]))}{', …' if len(shared) > 5 else ''}. Take them out of one of the two"
        )
    found = {"train": train, "test": test}
    if held_out_validation[0]:
        train, validation = _held_out(train, *held_out_validation, key="dataset.validation.fraction")
        found = {"train": train, "validation": validation, "test": test}
    for split, matrix in found.items():
        if not matrix.truth.any():
            raise ValueError(f"dataset: none of the {len(matrix)} images of the {split} split has a label")
    return list(found.values())


def parts(count: int, sizes: Iterable[int], seed: int) -> Iterator[np.ndarray]:
    """Rows of random parts of `count` images, the smallest first: nested, each the first of one random order, sorted.

    Sizes that are not below `count` are left out.

    >>> [rows.tolist() for rows in parts(5, [9, 2, 4], seed=0)]
    [[2, 4], [0, 2, 3, 4]]
    """
    order = np.random.default_rng(seed).permutation(count)
    for size in sorted({size for size in sizes if size < count}):
        yield np.sort(order[:size])


def _held_out(matrix: LabelMatrix, fraction: float, seed: int, *, key: str) -> tuple[LabelMatrix, LabelMatrix]:
    """The parts of a matrix; an error begins with the key that asks for them."""
    try:
        return matrix.held_out(fraction, seed)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error
