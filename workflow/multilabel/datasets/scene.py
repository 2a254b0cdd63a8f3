"""Labels of Scene: 2,000 photographs of nature with five labels, as a MATLAB file or a CSV."""

from pathlib import Path

import numpy as np
from scipy import io

from multilabel.datasets import table
from multilabel.datasets.folder import first_few, require_images
from multilabel.datasets.labels import LabelMatrix

_CLASSES = ("desert", "mountains", "sea", "sunset", "trees")


def read_labels(labels: str | Path, images: str | Path) -> LabelMatrix:
    """The label matrix of Scene (Zhou and Zhang 2007, the package miml-image-data).

    `labels` is the package's `miml data.mat`: `targets` is 5×N, −1 or 1, rows in the order desert, mountains, sea,
    sunset, trees (which `class_name`, where the file has it, must confirm), and column j belongs to `j.jpg` of the
    folder `images`, the package's `original`, j = 1…N. Image ids are those numbers; rows are in their order, so that
    2.jpg comes before 10.jpg. A file without the suffix .mat is a CSV for `table.read_labels`.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: the file is not such a file, or images are missing; the message names the file, the key and what
            was found instead.
    """
    path = Path(labels)
    if path.suffix.lower() != ".mat":
        return table.read_labels(path, images)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected Scene's labels (miml data.mat) or a CSV")
    content = _load(path)
    if "targets" not in content:
        keys = [key for key in content if not key.startswith("__")]
        raise ValueError(f"{path}: expected the key targets, found: {', '.join(keys) or 'no keys'}")
    targets = content["targets"]
    if not isinstance(targets, np.ndarray) or targets.dtype.kind not in "biuf":
        raise ValueError(f"{path}: targets: expected a full matrix of numbers, found {type(targets).__name__}")
    if len(targets) != len(_CLASSES) or targets.ndim != 2 or not targets.size:
        raise ValueError(
            f"{path}: targets: expected {len(_CLASSES)} rows (labels) and a column per image, "
            f"found the shape {targets.shape}"
        )
    if "class_name" in content:
        _check_classes(path, content["class_name"])
    matrix = _zero_one(path, targets.T)
    image_id = np.arange(1, len(matrix) + 1)
    file_name = tuple(f"{number}.jpg" for number in image_id)
    require_images(images, file_name, source=path)
    return LabelMatrix(image_id, file_name, _CLASSES, matrix)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        return io.loadmat(path)
    except NotImplementedError as error:
        raise ValueError(f"{path}: expected a MATLAB file up to version 7.2: {error}. Save it with -v7") from error
    except Exception as error:  # a damaged file makes SciPy raise whatever its bytes happen to break
        raise ValueError(f"{path}: expected a MATLAB file, perhaps cut short: {error}") from error


def _check_classes(path: Path, class_name: np.ndarray) -> None:
    found = tuple(str(np.squeeze(cell)).strip() for cell in np.ravel(class_name))
    if found != _CLASSES:
        raise ValueError(f"{path}: class_name: expected {', '.join(_CLASSES)}, found: {', '.join(found)}")


def _zero_one(path: Path, targets: np.ndarray) -> np.ndarray:
    """Labels uint8 N×5 of targets −1 and 1; 0 and 1, as other copies have them, are taken too."""
    wrong = np.argwhere(~np.isin(targets, (-1, 0, 1)))
    if len(wrong):
        cells = [f"image {row + 1}, {_CLASSES[column]}: {targets[row, column]}" for row, column in wrong[:6]]
        raise ValueError(
            f"{path}: targets: expected −1 and 1, or 0 and 1, found {len(wrong)} other(s): {first_few(cells, '; ')}"
        )
    if {-1, 0} <= set(np.unique(targets).tolist()):
        raise ValueError(f"{path}: targets: expected −1 and 1, or 0 and 1, found both −1 and 0")
    return (targets == 1).astype(np.uint8)
