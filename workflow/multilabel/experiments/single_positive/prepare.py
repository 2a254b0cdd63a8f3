"""The files that training starts from: labels of each part in the published order, and what is observed of train."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive import observation
from multilabel.experiments.single_positive.observation import Observed
from multilabel.experiments.single_positive.runs import Study


def write(
    train: str | Path,
    test: str | Path,
    *,
    validation: str | Path | None = None,
    studies: Mapping[str, Study],
    parts: Mapping[str, str | Path],
    seen: Mapping[str, str | Path],
    fraction: float | None,
    seed: int,
    validation_labels: str,
    ks: Sequence[int],
) -> None:
    """Write label files in the published order of images, and for studies what they are given of the training images.

    Labels are drawn for all images of `train`; then a part of them is held out for validation, unless the dataset has
    validation images of its own. Of these labels are drawn apart, by a fresh generator of the same seed.

    Args:
        train: label file of the images that train and, without `validation`, validate.
        test: label file of the test images.
        validation: label file of the dataset's own validation images; None: it has none.
        studies: what is given (`Study.seen`) → one of the studies that are given it.
        parts: `train`, `validation` and `test` → where their labels go, all of them, and `chosen_by` → where those of
            validation go by which epochs and runs are chosen.
        seen: what is given → where it goes.
        fraction: share of the images that is held out, where there is no `validation`.
        seed: of the draws and of that part.
        validation_labels: `clean` or `observed`; what `chosen_by` has.
        ks: for which precision and recall at k are wanted.

    Raises:
        ValueError: the files differ in their classes or have no image with a label, k is above the number of classes,
            or pairs count neither way.
    """
    files = [train, *([] if validation is None else [validation]), test]
    pool, *own, tested = matrices = [_ordered(path) for path in files]
    for path, matrix in zip(files, matrices, strict=True):
        if pool.classes != matrix.classes:
            raise ValueError(f"{train} and {path} have labels of different classes")
        if not len(matrix):
            raise ValueError(f"{path}: expected at least one image with a label, found none")
    if any(matrix.ignored is not None for matrix in matrices):
        raise ValueError(
            f"{', '.join(map(str, files))}: expected labels that are there or not; take dataset.difficult: absent"
        )
    if max(ks, default=1) > len(pool.classes):
        raise ValueError(
            f"single_positive.k: expected at most {len(pool.classes)}, the number of labels, found {max(ks)}"
        )

    drawn = {study.positives: _draw(pool, study.positives, seed, train) for study in studies.values()}
    if own:
        rows, (held_out,) = np.arange(len(pool)), own
        first = _draw(held_out, next(iter(drawn)), seed, files[1])
    else:
        assert fraction is not None
        rows, rest = observation.split(len(pool), fraction=fraction, seed=seed)
        held_out, first = pool.subset(rest), next(iter(drawn.values()))[rest]
    training = pool.subset(rows)
    training.save(parts["train"])
    held_out.save(parts["validation"])
    tested.save(parts["test"])
    for name, study in studies.items():
        given = observation.seen(study.supervision, pool.labels, drawn[study.positives])
        Observed(training.image_id, training.file_name, pool.classes, given[rows]).save(seen[name])
    chosen_by = held_out
    if validation_labels == "observed":
        labels = (first > 0).astype(np.uint8)
        chosen_by = LabelMatrix(held_out.image_id, held_out.file_name, held_out.classes, labels)
    chosen_by.save(parts["chosen_by"])


def _ordered(path: str | Path) -> LabelMatrix:
    matrix = LabelMatrix.load(path)
    return matrix.subset(observation.published_order(matrix))


def _draw(images: LabelMatrix, positives: float, seed: int, path: str | Path) -> NDArray[np.int8]:
    return observation.draw(images.labels, positives=positives, negatives=1, seed=seed, name=str(path))
