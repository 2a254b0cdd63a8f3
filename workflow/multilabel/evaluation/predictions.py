"""Scores of a run on a split, keyed by image id; and the choice among runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from multilabel.datasets.labels import LabelMatrix
from multilabel.files import DAMAGE, REMEDY, complete_or_absent, read_json


class Predictions(NamedTuple):
    """Images with their labels and scores, row by row: image_id (N,), truth N×L uint8, scores N×L float32.

    Truth is a masked array where the labels have ignored pairs.
    """

    image_id: np.ndarray
    truth: np.ndarray
    scores: np.ndarray


def save(path: str | Path, image_id: np.ndarray, scores: np.ndarray) -> None:
    """Write scores N×L float32 with their image ids (N,) int64 as HDF5."""
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        file["image_id"] = np.asarray(image_id, np.int64)
        file["scores"] = np.asarray(scores, np.float32)


def save_several(path: str | Path, found: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Write image ids and scores of several runs in one HDF5 file, in groups of these names."""
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        for group, (image_id, scores) in found.items():
            file[f"{group}/image_id"] = np.asarray(image_id, np.int64)
            file[f"{group}/scores"] = np.asarray(scores, np.float32)


def load(path: str | Path, group: str = "/") -> tuple[np.ndarray, np.ndarray]:
    """Image ids (N,) and scores N×L of a predictions file, or of a group of a file that has several.

    Raises:
        ValueError: the file is no predictions file or is damaged; the message names it.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            image_id, scores = file[group]["image_id"][()], file[group]["scores"][()]
        if scores.shape[:1] != image_id.shape or scores.ndim != 2 or not np.isfinite(scores).all():
            raise ValueError(
                f"{image_id.shape} ids, {scores.shape} scores, {np.sum(~np.isfinite(scores))} of which are no number"
            )
    except DAMAGE as error:
        raise ValueError(f"{path}: expected HDF5 with image_id and scores; {error}. {REMEDY}") from error
    return image_id, scores


def load_with_truth(path: str | Path, label_file: str | Path, *, unlabelled: bool = False) -> Predictions:
    """Scores with the labels of the same images; images without labels are left out, unless `unlabelled`.

    An image whose only objects are ignored is one with labels: the challenge of PASCAL VOC counts it as one without
    the other classes.

    Raises:
        ValueError: an image has scores but no row of labels; the message names both files.
    """
    image_id, scores = load(path)
    labels = LabelMatrix.load(label_file)
    return with_truth(image_id, scores, labels, name=str(label_file), other=str(path), unlabelled=unlabelled)


def with_truth(
    image_id: np.ndarray, scores: np.ndarray, labels: LabelMatrix, *, name: str, other: str, unlabelled: bool = False
) -> Predictions:
    """Scores N×L of images (N,) beside their labels, for `load_with_truth`; `name` and `other` as of `rows_of`."""
    rows = labels.rows_of(image_id, name=name, other=other)
    labelled = labels.labels[rows].any(axis=1) | unlabelled
    if labels.ignored is not None:
        labelled |= labels.ignored[rows].any(axis=1)
    return Predictions(image_id[labelled], labels.truth[rows][labelled], scores[labelled])


def path_of(results: str | Path, run: str, split: str, *, augmented: bool = False) -> Path:
    """Where the scores of a run on a split, or on its augmented images, lie in the folder of a dataset's results."""
    return Path(results, "predictions", run, f"{split}{'_augmented' if augmented else ''}.h5")


def of_run(results: str | Path, run: str, split: str, *, augmented: bool = False) -> Predictions:
    """What a run predicts for a split, or for its augmented images, from the folder of a dataset's results."""
    return load_with_truth(path_of(results, run, split, augmented=augmented), Path(results, "labels", f"{split}.h5"))


def choose(metric_files: Mapping[str, str], criterion: str) -> dict[str, object]:
    """The run with the highest validation metric; of equal ones, the first.

    Args:
        metric_files: run name → its metrics file.
        criterion: a name of those files, without the prefix `validation_`.

    Raises:
        ValueError: no file has such a metric; the message lists those there are.
    """
    values = {}
    for run, path in metric_files.items():
        found = read_json(path)
        if f"validation_{criterion}" not in found:
            known = [name.removeprefix("validation_") for name in found if name.startswith("validation_")]
            raise ValueError(
                f"evaluation.criterion: expected a metric of {path}, found {criterion!r}; there are {', '.join(known)}"
            )
        values[run] = found[f"validation_{criterion}"]
    return {"run": max(values, key=values.__getitem__), "criterion": criterion, "values": values}
