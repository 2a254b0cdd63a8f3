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
from multilabel.evaluation import all_metrics, predictions
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
    folder: str | Path,
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
    k: int,
) -> pd.DataFrame:
    """Train a top model on random parts of the training images, and test it.

    The parts are nested: the first images of one random order. With one label, each image keeps one of its labels at
    random and the others count as absent: what a dataset of single labels would say of the same images.

    Args:
        run: name of the run of stage 1 whose settings are used.
        sizes: numbers of training images; those above what there is stand for all of them.
        train: feature file and label file.
        val: the same of the images that stop training and give the thresholds.
        test: the same of the images that are judged.
        folder: where the runs are while they are made; it is removed at the end.
        settings: as of `top_models.train`.
        record: as of `top_models.train`.
        k: labels per image of the top-k decision.

    Returns:
        One row per kind and size: labels (all labels, one label), images, pairs (image and label), validation loss,
        mAP, and micro F1 after top-k and after the top k of each image.
    """
    place = Path(folder)
    whole, matrix = features_.load(train[0]), LabelMatrix.load(train[1])
    rng = np.random.default_rng(settings["seed"])
    order, drawn = rng.permutation(len(whole.image_id)), one_label(matrix, rng)
    rows_of_labels = matrix.rows_of(whole.image_id, name=train[1], other=train[0])
    rows = []
    for size in sorted({min(size, len(order)) for size in sizes} | {len(order)}):
        chosen = np.sort(order[:size])
        for kind, labels in {"all": matrix, "one": drawn}.items():
            part = place / f"{kind}_{size}"
            with complete_or_absent(part / "train.h5") as temporary, h5py.File(temporary, "w") as file:
                file["image_id"], file["features"] = whole.image_id[chosen], whole.features[chosen]
            labels.save(part / "labels.h5")
            top_models.train(
                {run: [str(part / "train.h5"), val[0]]},
                labels=[str(part / "labels.h5"), val[1]],
                folder=part,
                settings=settings,
                record=record,
            )
            judged = {split: _predicted(part / run / "best.weights.h5", *split) for split in dict.fromkeys([val, test])}
            found = all_metrics.evaluate(*judged[test][1:], k=k, validation=judged[val][1:])
            losses = pd.read_csv(part / run / "log.csv")["val_loss"]
            rows.append(
                {
                    "labels": KINDS[kind],
                    "images": size,
                    "pairs": int(labels.labels[rows_of_labels[chosen]].sum()),
                    "validation loss": losses.min(),
                    "mAP": found["mean_average_precision"],
                    "µF1 top-k": found["top_k_micro_f1"],
                    "µF1 top-k per image": found["top_k_per_image_micro_f1"],
                }
            )
    shutil.rmtree(place)
    return pd.DataFrame(rows).sort_values(["labels", "images"], kind="stable", ignore_index=True)


def one_label(matrix: LabelMatrix, rng: np.random.Generator) -> LabelMatrix:
    """The matrix with one label of each labelled image, drawn at random."""
    keys = np.where(matrix.labels > 0, rng.random(matrix.labels.shape), -1.0)
    kept = np.zeros_like(matrix.labels)
    kept[np.arange(len(matrix)), keys.argmax(axis=1)] = 1
    return replace(matrix, labels=kept * matrix.labels, coverage=None)


def _predicted(weights: Path, feature_file: str, label_file: str) -> predictions.Predictions:
    """Scores of a finished run on a split, with the truth."""
    labels = LabelMatrix.load(label_file)
    image_id, scores = top_models.predict(weights, feature_file, len(labels.classes))
    return predictions.with_truth(image_id, scores, labels, name=label_file, other=feature_file)
