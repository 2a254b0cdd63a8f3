"""Labels of PASCAL VOC: a list per class and set in `ImageSets/Main` of a `VOCdevkit/VOC20XX`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from multilabel.datasets.folder import first_few, require_images
from multilabel.datasets.labels import LabelMatrix

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""The classes of 2007 to 2012 in the order of the challenge, which is that of the columns."""

Difficult = Literal["present", "absent", "ignore"]
_VALUES = {"1": 1, "0": 0, "-1": -1}


def read_labels(
    image_set: str | Path,
    images: str | Path | None,
    *,
    difficult: Difficult = "present",
    classes: Sequence[str] = CLASSES,
) -> LabelMatrix:
    """The label matrix of an image set.

    `image_set` is the list of a set, such as `VOCdevkit/VOC2007/ImageSets/Main/trainval.txt`, with an image per line.
    Beside it lies a list per class, `cow_trainval.txt`, whose lines repeat the image and say 1 (the class is there),
    −1 (it is not) or 0 (all its objects are hard to recognise):

        000012 -1
        000017  1
        000023  0

    Rows are in the order of the lists; an image's file is `000012.jpg`. Its id is the number in its name (`2008_000007`
    gives 2008000007), or its place from 1 where names hold something else or numbers are not different.

    Args:
        image_set: the list of a set.
        images: the folder of the images, `JPEGImages`; None: they are not looked for.
        difficult: what 0 counts as. `present`, as in the tutorial; `absent`; or `ignore`, the rule of the challenge:
            such a pair of image and class counts neither way.
        classes: the classes, in the order of the columns.

    Raises:
        FileNotFoundError: there is no such set, or no folder of images; the message names the sets there are.
        ValueError: a class has no list, a list is not what is described above or names other images than the set's,
            images are not in the folder, or `difficult` is something else; the message names files and lines.
    """
    path = Path(image_set)
    if difficult not in ("present", "absent", "ignore"):
        raise ValueError(f"difficult: expected present, absent or ignore, found {difficult!r}")
    names = [line[0] for line in _lines(path, 1)] if path.is_file() else _no_such_set(path)
    if not names:
        raise ValueError(f"{path}: expected an image per line, found an empty list")
    lists = [path.with_name(f"{name}_{path.name}") for name in classes]
    missing = [found.name for found in lists if not found.is_file()]
    if missing:
        raise ValueError(
            f"{path.parent}: expected a list for each of {len(classes)} classes and the set {path.stem}, found none "
            f"for {len(missing)}: {first_few(missing)}"
        )
    values = np.stack([_values(found, names, path) for found in lists], axis=1)
    file_name = [f"{name}.jpg" for name in names]
    if images is not None:
        require_images(images, file_name, source=path)
    return LabelMatrix(
        _image_ids(names),
        tuple(file_name),
        tuple(classes),
        values == 1 if difficult != "present" else values >= 0,
        ignored=values == 0 if difficult == "ignore" else None,
    )


def _no_such_set(path: Path) -> list[str]:
    """Say which sets there are."""
    found = sorted(other.stem for other in path.parent.glob("*.txt") if "_" not in other.stem)
    sets = f"there are {', '.join(found)}" if found else "expected one such as trainval.txt in ImageSets/Main"
    raise FileNotFoundError(f"{path}: no such image set; {sets}")


def _lines(path: Path, fields: int) -> list[list[str]]:
    """The fields of each line that is not empty.

    Raises:
        ValueError: a line has another number of them, or the file is no text.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected a text file: {error}") from error
    found = [line.split() for line in lines]
    wrong = [
        f"line {number}: {lines[number - 1]}" for number, line in enumerate(found, 1) if len(line) not in (0, fields)
    ]
    if wrong:
        form = "an image" if fields == 1 else "an image and 1, 0 or −1"
        raise ValueError(f"{path}: expected {form} per line, found {len(wrong)} other(s): {first_few(wrong, '; ')}")
    return [line for line in found if line]


def _values(path: Path, names: Sequence[str], image_set: Path) -> np.ndarray:
    """The values of a class for the images of the set, int8 (N,)."""
    lines = _lines(path, 2)
    wrong = [f"{name}: {value}" for name, value in lines if value not in _VALUES]
    if wrong:
        raise ValueError(f"{path}: expected 1, 0 or −1, found {len(wrong)} other(s): {first_few(wrong, '; ')}")
    if len(lines) != len(names):
        raise ValueError(f"{path}: expected the {len(names)} images of {image_set.name}, found {len(lines)}")
    other = [f"{name} in place of {wanted}" for (name, _), wanted in zip(lines, names, strict=True) if name != wanted]
    if other:
        raise ValueError(
            f"{path}: expected the images of {image_set.name} in its order, found {len(other)} other(s): "
            f"{first_few(other, '; ')}"
        )
    return np.array([_VALUES[value] for _, value in lines], np.int8)


def _image_ids(names: Sequence[str]) -> np.ndarray:
    """The ids int64 (N,)."""
    numbers = [name.replace("_", "") for name in names]
    if all(number.isdecimal() and len(number) < 19 for number in numbers):
        ids = np.array([int(number) for number in numbers], np.int64)
        if len(set(ids.tolist())) == len(ids):
            return ids
    return np.arange(1, len(names) + 1)
