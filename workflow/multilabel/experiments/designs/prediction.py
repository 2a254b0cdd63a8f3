"""Scores of finished runs, and what inference with them costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from multilabel import devices
from multilabel.evaluation import predictions
from multilabel.experiments.designs import images, inference, losses, measuring, names, networks, parts
from multilabel.experiments.designs.images import Split
from multilabel.files import write_json
from multilabel.training import loop
from multilabel.training.objectives import Objective


def load_run(weights: str | Path, classes: int, sizes: networks.Sizes) -> keras.Model:
    """The network of a finished run of Model 3, from `…/{run}/best.weights.h5`."""
    model = networks.build(classes, sizes, seed=0)
    model.load_weights(weights)
    return model


def objective_of(run: str) -> Objective:
    """The loss of a run of Model 3, for how scores follow from its outputs: no numbers of the loss matter for that."""
    return losses.objective(names.loss_of(run), np.ones((1, 1), np.uint8), gamma=0)


def predict_run(
    run: str, weights: str | Path, splits: Mapping[str, Split], folder: str | Path, sizes: networks.Sizes
) -> None:
    """Write the scores of a run of Model 3 on the images of each split: `folder/{split}.h5`."""
    (classes, *_) = (len(split.labels.classes) for split in splits.values())
    model = load_run(weights, classes, sizes)
    score = loop.scorer(model, prepare=images.preparation(), activation=objective_of(run).activation)
    for name, split in splits.items():
        rows, scores = score(split.samples)
        predictions.save(Path(folder, f"{name}.h5"), split.labels.image_id[rows], scores)


def assemble(
    files: Sequence[str | Path],
    logs: Sequence[str | Path],
    splits: Mapping[str, tuple[str | Path, str | Path]],
    *,
    sizes: networks.Sizes,
    reading: Mapping[str, Any],
    folder: str | Path,
    record: str | Path,
    cost: str | Path,
) -> None:
    """Make one run of the networks of Model 1 or 2: its scores in one call, its `run.json`, its cost.

    Args:
        files: what the jobs that trained the networks left, see `parts`.
        logs: their logs.
        splits: split whose scores are wanted → its labels, and the folder of its images.
        sizes: of the networks.
        reading: how images are read, see `images.load`.
        folder: where the scores go, `{split}.h5`.
        record: the file of the run's record.
        cost: the file of what inference costs, see `measuring.cost`.
    """
    before = devices.peak_memory()
    models = parts.load(files, sizes)
    write_json(cost, measuring.cost(models, files, memory=before))
    together = inference.in_one_call(models)
    prepare = images.preparation()
    for name, (labels, place) in splits.items():  # read only now: their memory is not that of the networks
        split = images.load(labels, place, sizes.input_size, **reading)
        # The networks share a batch that was prepared once.
        kept: list[np.ndarray] = []
        scores: list[np.ndarray] = []
        for x, rows, order, _ in split.samples.chunks(None, 256):
            kept.append(np.asarray(rows))
            for start in range(0, len(order), 256):
                batch = prepare(x[start : start + 256], tf.constant([0, 0]))
                scores.append(tf.sigmoid(together(batch)).numpy())
        image_id = split.labels.image_id[np.concatenate(kept)]
        predictions.save(Path(folder, f"{name}.h5"), image_id, np.concatenate(scores))
    results = {
        "networks": _ends(pd.concat([pd.read_csv(path) for path in logs])),
        "trained_parameters": measuring.parameters(models),
    }
    write_json(record, {**parts.described(files)[1], "results": results})


def measure_run(weights: str | Path, classes: int, sizes: networks.Sizes, cost: str | Path) -> None:
    """Write what inference with a run of Model 3 costs, see `measuring.cost`."""
    before = devices.peak_memory()
    write_json(cost, measuring.cost([load_run(weights, classes, sizes)], [weights], memory=before))


def _ends(logs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """How the training of each network of Model 1 or 2 ended, by its label."""
    best = logs.loc[logs.groupby("network")["val_loss"].idxmin()].sort_values("network")
    epochs = logs["network"].value_counts()
    return {
        row["label"]: {
            "epochs": int(epochs[row["network"]]),
            "best_epoch": int(row["epoch"]),
            "best_val_loss": float(row["val_loss"]),
        }
        for row in best.to_dict("records")
    }
