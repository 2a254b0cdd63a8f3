"""How many images training needs, with all labels of each and with one: the question of section 2.1, paper 000."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import top_models
from multilabel.features import files as features_
from multilabel.files import complete_or_absent

KINDS = {"all": "all labels", "one": "one label"}


def train(
    run: str,
    sizes: Sequence[int],
    *,
    train: tuple[str, str],
    val: tuple[str, str],
    test: tuple[str, str],
    output: str | Path,
    folder: str | Path,
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
) -> None:
    """Train a top model on random parts of the training images, and write its scores of the others.

    The parts are nested: the first images of one random order. With one label, each image keeps one of its labels at
    random and the others count as absent: what a dataset of single labels would say of the same images.

    Args:
        run: name of the run of stage 1 whose settings are used.
        sizes: numbers of training images; those above what there is stand for all of them.
        train: feature file and label file.
        val: the same of the images that stop training and give the thresholds.
        test: the same of the images that are judged.
        output: an HDF5 file: for each kind and size a group with attributes `labels` (all labels, one label), `images`,
            `pairs` (of an image and a label) and `validation_loss`, and for val and test `image_id` and `scores`.
        folder: where the runs are while they are made; it is removed at the end.
        settings: as of `top_models.train`.
        record: as of `top_models.train`.
    """
    place = Path(folder)
    whole, matrix = features_.load(train[0]), LabelMatrix.load(train[1])
    rng = np.random.default_rng(settings["seed"])
    order, drawn = rng.permutation(len(whole.image_id)), one_label(matrix, rng)
    rows_of_labels = matrix.rows_of(whole.image_id, name=train[1], other=train[0])
    models = top_models.Models(settings)
    with complete_or_absent(output) as temporary, h5py.File(temporary, "w") as written:
        for size in sorted({min(size, len(order)) for size in sizes} | {len(order)}):
            chosen = np.sort(order[:size])
            for kind, labels in {"all": matrix, "one": drawn}.items():
                part = place / f"{kind}_{size}"
                with complete_or_absent(part / "train.h5") as path, h5py.File(path, "w") as file:
                    file["image_id"], file["features"] = whole.image_id[chosen], whole.features[chosen]
                labels.save(part / "labels.h5")
                top_models.train(
                    {run: [str(part / "train.h5"), val[0]]},
                    labels=[str(part / "labels.h5"), val[1]],
                    folder=part,
                    settings=settings,
                    record=record,
                    models=models,
                )
                group = written.create_group(part.name)
                group.attrs["labels"], group.attrs["images"] = KINDS[kind], size
                group.attrs["pairs"] = int(labels.labels[rows_of_labels[chosen]].sum())
                group.attrs["validation_loss"] = pd.read_csv(part / run / "log.csv")["val_loss"].min()
                for split, (features, _) in {"val": val, "test": test}.items():
                    group[f"{split}/image_id"], group[f"{split}/scores"] = models.predict(features)
    shutil.rmtree(place)


def one_label(matrix: LabelMatrix, rng: np.random.Generator) -> LabelMatrix:
    """The matrix with one label of each labelled image, drawn at random."""
    keys = np.where(matrix.labels > 0, rng.random(matrix.labels.shape), -1.0)
    kept = np.zeros_like(matrix.labels)
    kept[np.arange(len(matrix)), keys.argmax(axis=1)] = 1
    return replace(matrix, labels=kept * matrix.labels, coverage=None)
