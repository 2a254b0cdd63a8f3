"""Stage 1: small classifiers, trained on bottleneck features (Maddox 2017, sections 4.2 and 4.3)."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel import backbones, provenance, runs, training
from multilabel import features as features_
from multilabel.labels import LabelMatrix
from multilabel.runs import TopModelRun
from multilabel.training import InMemory


def build(run: TopModelRun, inputs: int, classes: int, *, seed: int) -> keras.Model:
    """The top model of a run: features N×inputs → logits N×classes.

    Each hidden layer is Dense → ReLU → Dropout, or Dense → BatchNormalization → ReLU with `bn`. The scores are the
    sigmoid of the logits.
    """
    x = inputs_ = keras.Input((inputs,), name="features")
    for layer in range(1, run.layers + 1):
        x = keras.layers.Dense(run.nodes, name=f"hidden_{layer}", kernel_initializer=_glorot(seed, layer))(x)
        if run.dropout is None:
            x = keras.layers.BatchNormalization(name=f"normalisation_{layer}")(x)
        x = keras.layers.ReLU(name=f"relu_{layer}")(x)
        if run.dropout is not None:
            x = keras.layers.Dropout(run.dropout, name=f"dropout_{layer}")(x)
    logits = keras.layers.Dense(classes, name="logits", kernel_initializer=_glorot(seed, 0))(x)
    return keras.Model(inputs_, logits, name="top_model")


def train(
    features: Mapping[str, Sequence[str]],
    *,
    labels: Sequence[str],
    folder: str | Path,
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
) -> None:
    """Train runs one after the other in this process: start-up is paid once, as are features that runs share.

    Args:
        features: run name → its feature files of train and val; runs that share them stand together.
        labels: label files of train and val.
        folder: where each run gets its folder, see `training.run`.
        settings: epochs, patience, min_delta, momentum, decay, seed.
        record: what each `run.json` records of the runs' origin.
    """
    for files, group in itertools.groupby(features, key=lambda name: tuple(features[name])):
        inputs = provenance.digests([*files, *labels])
        samples = [_samples(*pair, settings["seed"]) for pair in zip(files, labels, strict=True)]
        for name in group:
            run = _top_model_run(name)
            training.run(
                Path(folder) / name,
                {"specification": asdict(run), "inputs": inputs, **record},
                build(run, samples[0].x.shape[1], samples[0].y.shape[1], seed=settings["seed"]),
                training.sgd(run.learning_rate, settings["momentum"], settings["decay"]),
                *samples,
                training.Schedule(settings["epochs"], settings["patience"], settings["min_delta"]),
                batch_size=run.batch_size,
                seed=settings["seed"],
            )
    for name in features:
        training.forget(Path(folder) / name)


def load(weights: str | Path, inputs: int, classes: int) -> keras.Model:
    """The top model of a finished run, from `…/{run}/best.weights.h5`.

    Raises:
        ValueError: the weights do not fit; the message names the file.
    """
    model = build(_top_model_run(Path(weights).parent.name), inputs, classes, seed=0)
    backbones.load_weights(model, Path(weights))
    return model


def predict(weights: str | Path, feature_file: str | Path, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Image ids (N,) and scores N×L, float32, of a finished run on a feature file."""
    image_id, x = _features(feature_file)
    return training.scores(load(weights, x.shape[1], classes), InMemory(x, image_id, 0))


def _samples(feature_file: str, label_file: str, seed: int) -> InMemory:
    """Features with the labels of the same images, as tensors that all runs share."""
    image_id, x = _features(feature_file)
    labels = LabelMatrix.load(label_file)
    rows = labels.rows_of(image_id, name=label_file, other=feature_file)
    return InMemory(x, tf.constant(labels.labels[rows]), seed)


def _features(path: str | Path) -> tuple[np.ndarray, tf.Tensor]:
    loaded = features_.load(path)
    return loaded.image_id, tf.constant(loaded.features, tf.float32)


def _top_model_run(name: str) -> TopModelRun:
    run = runs.parse(name)
    if not isinstance(run, TopModelRun):
        raise ValueError(f"run name {name}: expected a run of stage 1, found a fine-tuned one")
    return run


def _glorot(seed: int, layer: int) -> keras.initializers.Initializer:
    """Keras' default initialisation, another draw for each layer."""
    return keras.initializers.GlorotUniform(seed=seed * 1000 + layer)
