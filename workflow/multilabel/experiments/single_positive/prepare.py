"""The files that training starts from: labels of each part in the published order, and what is observed of train."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive import observation
from multilabel.experiments.single_positive.observation import Observed
from multilabel.experiments.single_positive.runs import Study


def write(
    train: str | Path,
    test: str | Path,
    *,
    studies: Mapping[str, Study],
    parts: Mapping[str, str | Path],
    seen: Mapping[str, str | Path],
    fraction: float,
    seed: int,
    validation_labels: str,
    ks: Sequence[int],
) -> None:
    """Write label files in the published order of images, and for studies what they are given of the training images.

    Labels are drawn for all images of `train`; then a part of them is held out for validation.

    Args:
        train: label file of the images that train and validate.
        test: label file of the test images.
        studies: what is given (`Study.seen`) → one of the studies that are given it.
        parts: `train`, `validation` and `test` → where their labels go, all of them, and `chosen_by` → where those of
            validation go by which epochs and runs are chosen.
        seen: what is given → where it goes.
        fraction: share of the images that is held out.
        seed: of the draws and of that part.
        validation_labels: `clean` or `observed`; what `chosen_by` has.
        ks: for which precision and recall at k are wanted.

    Raises:
        ValueError: the files differ in their classes, k is above their number, or pairs of them count neither way.
    """
    pool, tested = (_ordered(path) for path in (train, test))
    if pool.classes != tested.classes:
        raise ValueError(f"{train} and {test} have labels of different classes")
    if pool.ignored is not None or tested.ignored is not None:
        raise ValueError(f"{train}, {test}: expected labels that are there or not; take dataset.difficult: absent")
    if max(ks, default=1) > len(pool.classes):
        raise ValueError(
            f"single_positive.k: expected at most {len(pool.classes)}, the number of labels, found {max(ks)}"
        )
    rows, held_out = observation.split(len(pool), fraction=fraction, seed=seed)
    pool.subset(rows).save(parts["train"])
    pool.subset(held_out).save(parts["validation"])
    tested.save(parts["test"])

    drawn = {study.positives: _draw(pool, study.positives, seed, str(train)) for study in studies.values()}
    for name, study in studies.items():
        given = observation.seen(study.supervision, pool.labels, drawn[study.positives])
        names = tuple(pool.file_name[row] for row in rows)
        Observed(pool.image_id[rows], names, pool.classes, given[rows]).save(seen[name])
    chosen_by = pool.subset(held_out)
    if validation_labels == "observed":
        first = next(iter(drawn.values()))
        labels = (first[held_out] > 0).astype(np.uint8)
        chosen_by = LabelMatrix(chosen_by.image_id, chosen_by.file_name, chosen_by.classes, labels)
    chosen_by.save(parts["chosen_by"])


def _ordered(path: str | Path) -> LabelMatrix:
    matrix = LabelMatrix.load(path)
    return matrix.subset(observation.published_order(matrix))


def _draw(pool: LabelMatrix, positives: float, seed: int, name: str) -> np.ndarray:
    return observation.draw(pool.labels, positives=positives, negatives=1, seed=seed, name=name)
