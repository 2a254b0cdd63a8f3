"""Labels of MSRC v2: 591 images whose pixels are coloured by class, or a CSV of labels."""

from pathlib import Path

import numpy as np
from PIL import Image

from multilabel.datasets import table
from multilabel.datasets.folder import first_few, natural_order, require_images
from multilabel.datasets.labels import LabelMatrix

# In the order of the data set's own description, which is that of the columns.
_COLOURS = {
    "building": (128, 0, 0),
    "grass": (0, 128, 0),
    "tree": (128, 128, 0),
    "cow": (0, 0, 128),
    "horse": (128, 0, 128),
    "sheep": (0, 128, 128),
    "sky": (128, 128, 128),
    "mountain": (64, 0, 0),
    "aeroplane": (192, 0, 0),
    "water": (64, 128, 0),
    "face": (192, 128, 0),
    "car": (64, 0, 128),
    "bicycle": (192, 0, 128),
    "flower": (64, 128, 128),
    "sign": (192, 128, 128),
    "bird": (0, 64, 0),
    "book": (128, 64, 0),
    "chair": (0, 192, 0),
    "road": (128, 64, 128),
    "cat": (0, 192, 128),
    "dog": (128, 192, 128),
    "body": (64, 64, 0),
    "boat": (192, 64, 0),
}
_VOID = (0, 0, 0)  # pixels that belong to none of the classes
_SUFFIX = "_GT.bmp"


def read_labels(ground_truth: str | Path, images: str | Path) -> LabelMatrix:
    """The label matrix of MSRC v2: an image has a class where at least one pixel has its colour.

    `ground_truth` is the folder of `*_GT.bmp` as downloaded (`1_1_s_GT.bmp` belongs to `1_1_s.bmp` in the folder
    `images`): rows are in the natural order of the file names (2_9_s before 2_10_s), image ids are 1…N in that order,
    and the 23 classes are always all there, horse and mountain included; images without ground truth are passed over.
    Or it is a CSV file for `table.read_labels`.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: the folder has no ground truth, one of its files is damaged or has a colour of no class, or images
            are missing; the message names the files, the colours (red, green, blue) and how many pixels have them.
    """
    folder = Path(ground_truth)
    if folder.is_file():
        return table.read_labels(folder, images)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such file or folder; expected MSRC v2's GroundTruth or a CSV of labels")
    names = sorted((path.name for path in folder.glob(f"*{_SUFFIX}")), key=natural_order)
    if not names:
        raise ValueError(f"{folder}: expected MSRC v2's ground truth (*{_SUFFIX}), found no such file")
    file_name = tuple(name.removesuffix(_SUFFIX) + ".bmp" for name in names)
    require_images(images, file_name, source=folder)

    pixels = [_pixels_per_colour(folder / name) for name in names]
    known = {_VOID, *_COLOURS.values()}
    other = [
        f"{name}: {colour} ({count} pixels)"
        for name, counts in zip(names, pixels, strict=True)
        for colour, count in counts.items()
        if colour not in known
    ]
    if other:
        raise ValueError(
            f"{folder}: expected the colours of MSRC v2's classes and black, found {len(other)} other(s): "
            f"{first_few(other, '; ')}"
        )
    labels = np.array([[colour in counts for colour in _COLOURS.values()] for counts in pixels], np.uint8)
    return LabelMatrix(np.arange(1, len(names) + 1), file_name, tuple(_COLOURS), labels)


def _pixels_per_colour(path: Path) -> dict[tuple[int, int, int], int]:
    """How many pixels have each (red, green, blue) of an image."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except Exception as error:  # decoders fail on damaged bytes in many ways
        raise ValueError(f"{path}: expected an image of colour-coded ground truth: {error}") from error
    packed, counts = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1]), return_counts=True)
    colours = zip((packed >> 16).tolist(), (packed >> 8 & 255).tolist(), (packed & 255).tolist(), strict=True)
    return dict(zip(colours, counts.tolist(), strict=True))
