"""The images that labels name, in their folder: the checks and the order that readers of label files share."""

import re
from collections.abc import Sequence
from pathlib import Path


def require_images(images: str | Path, file_names: Sequence[str], *, source: str | Path) -> None:
    """Check that each image that `source` names is in the folder; what else lies there does not matter.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: images are missing, or their names lead out of the folder; the message names the first five.
    """
    images = Path(images)
    if not images.is_dir():
        raise FileNotFoundError(f"{images}: no such folder; expected the images that {source} names")
    require_inside(file_names, source=source, images=images)
    missing = [name for name in file_names if not (images / name).is_file()]
    if missing:
        raise ValueError(
            f"{source}: {len(missing)} of {len(file_names)} images are not in {images}: {first_few(missing)}. "
            "Add them, or correct the names or the folder"
        )


def require_inside(
    file_names: Sequence[str], *, source: str | Path, images: str | Path = "the folder of images"
) -> None:
    """Check that no name leads out of the folder of images.

    Raises:
        ValueError: some do, or are empty; the message names the first five.
    """
    outside = [name for name in file_names if not name or name[0] == "/" or ".." in name.split("/")]
    if outside:
        raise ValueError(
            f"{source}: expected file names relative to {images} and inside it, found {len(outside)} other(s): "
            f"{first_few([name or repr(name) for name in outside])}"
        )


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A key for `sorted` that compares runs of digits as numbers.

    >>> sorted(["10.jpg", "2.jpg", "1.jpg"], key=natural_order)
    ['1.jpg', '2.jpg', '10.jpg']
    """
    parts: list[str | int] = list(re.split(r"([0-9]+)", name))
    parts[1::2] = map(int, parts[1::2])
    return parts, name  # the name itself decides between 1.jpg and 01.jpg


def first_few(values: Sequence[object], separator: str = ", ") -> str:
    """The first five values as text, and a sign that there are more.

    >>> first_few([1, 2, 3, 4, 5, 6])
    '1, 2, 3, 4, 5, …'
    """
    return separator.join(map(str, values[:5])) + (f"{separator}…" if len(values) > 5 else "")
