"""Images that are in two splits, found by looking at the files: one file under two names, and copies."""

import filecmp
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from multilabel.datasets.folder import first_few

LEAK = 0.01
"""Share of a split's images that may be copies of training images: photographs taken twice happen, folders do not."""
_END = 1 << 15  # bytes at both ends of a file that are compared before the whole


def check(splits: Mapping[str, Sequence[Path]], *, report: Callable[[str], None] = print) -> None:
    """Look for images of `train` in the other splits, and say what is found.

    Args:
        splits: the image files of each split, `train` among them; those that are not there are passed over.
        report: takes a line for each other split.

    Raises:
        ValueError: a file is in both under whatever name, or more than 1 % of a split are copies; the message has the
            first five.
    """
    train = {path: status for path in splits["train"] if (status := _status(path))}
    for split, paths in splits.items():
        if split == "train":
            continue
        others = {path: status for path in paths if (status := _status(path))}
        same = _same_files(train, others)
        copies = _copies(train, {path: status for path, status in others.items() if path not in same})
        for found, what in ((same, "are the same files as"), (copies, "are copies (of the same bytes) of")):
            text = f"{len(found)} of {len(paths)} images of {split} {what} images of train"
            first = first_few([f"{other} and {path}" for other, path in found.items()], "; ")
            if len(found) > (0 if found is same else LEAK * len(paths)):
                raise ValueError(f"{text}: {first}. Take them out of one of the two")
            if found:
                report(f"{text}: {first}")
        if not copies:
            report(f"none of the {len(paths)} images of {split} is among those of train")


_Files = Mapping[Path, os.stat_result]


def _same_files(files: _Files, others: _Files) -> dict[Path, Path]:
    """Those of the others that are files of the first, too, by whatever path or link."""
    known = {(status.st_dev, status.st_ino): path for path, status in files.items()}
    places = {path: (status.st_dev, status.st_ino) for path, status in others.items()}
    return {path: known[place] for path, place in places.items() if place in known}


def _copies(files: _Files, others: _Files) -> dict[Path, Path]:
    """Those of the others that have the bytes of a file of the first."""
    ends = cache(_ends)
    by_size = defaultdict(list)
    for path, status in files.items():
        by_size[status.st_size].append(path)
    found = {}
    for other, status in others.items():
        for path in by_size.get(status.st_size, ()):
            if ends(path) == ends(other) and filecmp.cmp(path, other, shallow=False):
                found[other] = path
                break
    return found


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _ends(path: Path) -> int:
    """A checksum of both ends of a file."""
    with path.open("rb") as file:
        value = zlib.crc32(file.read(_END))
        file.seek(max(_END, path.stat().st_size - _END))
        return zlib.crc32(file.read(_END), value)
