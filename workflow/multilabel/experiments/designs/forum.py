"""The forum's outputs on bottleneck features (paper 002): one small network, five ways to end and to train it.

The network is a hidden layer with dropout and an output per label; `per_label` is a network of its own for each label,
all as wide, trained beside each other with the mean of their losses, so that none learns from another's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.designs import losses, names
from multilabel.features import files as features_
from multilabel.training import loop
from multilabel.training.objectives import Objective
from multilabel.training.schedule import Schedule
from multilabel.training.sources import InMemory

DROPOUT = 0.5


class Samples(NamedTuple):
    """Features N×D float32 and what a network is to give N×L, of the same images."""

    image_id: np.ndarray
    x: np.ndarray
    y: np.ndarray


def load(feature_files: Sequence[str | Path], label_file: str | Path) -> Samples:
    """The features of the images that a label file names and whose features there are, in the order of the labels.

    Args:
        feature_files: of one or more splits, which hold the images.
        label_file: the labels.

    Raises:
        ValueError: none of the images has features; the message names the files.
    """
    labels = LabelMatrix.load(label_file)
    loaded = [features_.load(path) for path in feature_files]
    image_id = np.concatenate([part.image_id for part in loaded])
    x = np.concatenate([part.features for part in loaded])
    place = {number: row for row, number in enumerate(image_id.tolist())}
    rows = [row for row, number in enumerate(labels.image_id.tolist()) if number in place]
    if not rows:
        raise ValueError(f"{', '.join(map(str, feature_files))}: expected features of the images of {label_file}")
    kept = labels.image_id[rows]
    return Samples(kept, x[[place[number] for number in kept.tolist()]].astype(np.float32), labels.targets[rows])


def train(
    output: str,
    seeds: int,
    *,
    train: Samples,
    validation: Samples,
    evaluated: Mapping[str, Samples],
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
    folder: str | Path,
    scores: str | Path,
) -> None:
    """Train a network with each seed and write its scores, `{scores}/{run}/{split}.h5`.

    Args:
        output: one of `names.OUTPUTS`.
        seeds: how many.
        train: what it is trained on.
        validation: what decides on the best epoch.
        evaluated: what is scored, by split.
        settings: hidden, epochs, batch_size, learning_rate, seed.
        record: what each `run.json` records of the runs' origin.
        folder: where each run gets its folder.
        scores: where each run gets a folder of scores.
    """
    objective: Objective = losses.objective(names.PLAIN if output == names.PER_LABEL else output, train.y, gamma=0)
    for number in range(seeds):
        name, seed = names.features_run_of(output, number), settings["seed"] + number
        model = build(train.x.shape[1], train.y.shape[1], settings["hidden"], output == names.PER_LABEL, seed=seed)
        loop.run(
            Path(folder) / name,
            {"specification": {"run": name, "output": output, "seed": seed}, "settings": settings, **record},
            loop.Training(model, objective, keras.optimizers.Adam(settings["learning_rate"])),
            InMemory(tf.constant(train.x), train.y, seed),
            InMemory(tf.constant(validation.x), validation.y, seed),
            Schedule(settings["epochs"], None, 0.0),
            batch_size=settings["batch_size"],
            seed=seed,
        )
        score = loop.scorer(model, activation=objective.activation)
        for split, samples in evaluated.items():
            image_id, values = score(InMemory(samples.x, samples.image_id, seed))
            predictions.save(Path(scores) / name / f"{split}.h5", image_id, values)
    for number in range(seeds):
        loop.forget(Path(folder) / names.features_run_of(output, number))


def build(inputs: int, classes: int, hidden: int, per_label: bool, *, seed: int) -> keras.Model:
    """Features N×inputs → outputs N×classes; with `per_label`, each class has a hidden layer of its own."""
    nodes = hidden * classes if per_label else hidden
    x = inputs_ = keras.Input((inputs,), name="features")
    x = keras.layers.Dense(nodes, kernel_initializer=_glorot(inputs, hidden, seed), name="hidden")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Dropout(DROPOUT, name="dropout")(x)
    if not per_label:
        outputs = keras.layers.Dense(classes, kernel_initializer=_glorot(hidden, classes, seed + 1), name="outputs")(x)
    else:
        x = keras.layers.Reshape((classes, hidden), name="by_label")(x)
        outputs = PerLabel(_glorot(hidden, 1, seed + 1), name="outputs")(x)
    return keras.Model(inputs_, outputs, name="forum")


class PerLabel(keras.layers.Layer):
    """An output for each label from nodes of its own: N×L×nodes → N×L."""

    def __init__(self, initializer: keras.initializers.Initializer, **options: Any) -> None:
        super().__init__(**options)
        self.initializer = initializer

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights; see Keras."""
        self.kernel = self.add_weight(shape=shape[1:], initializer=self.initializer, name="kernel")
        self.bias = self.add_weight(shape=shape[1:2], initializer="zeros", name="bias")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return tf.reduce_sum(inputs * self.kernel, axis=2) + self.bias


def _glorot(inputs: int, outputs: int, seed: int) -> keras.initializers.Initializer:
    """Keras' default initialisation of a layer of this size, whatever the shape that it is part of."""
    limit = (6 / (inputs + outputs)) ** 0.5
    return keras.initializers.RandomUniform(-limit, limit, seed=seed)
