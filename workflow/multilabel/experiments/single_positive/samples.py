"""What studies are trained on: fixed features with a linear classifier, or images with the whole network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive import features
from multilabel.experiments.single_positive.observation import Observed
from multilabel.experiments.single_positive.training import Samples
from multilabel.images.augment import augment
from multilabel.images.normalise import normalise
from multilabel.networks import backbones
from multilabel.training import image_files
from multilabel.training.sources import InMemory, Source
from multilabel.training.steps import Prepare

LOGITS = "logits"


def of_features(
    feature_files: Mapping[str, str], train: Observed, labels: Mapping[str, str], validation: str
) -> Samples:
    """Features of all splits in memory, and a linear classifier on them.

    Args:
        feature_files: of train, test and, where validation is no part of train, val.
        train: which images train.
        labels: label files of val and test, which name their images.
        validation: the label file by which epochs and runs are chosen; see `LabelMatrix`.

    Raises:
        ValueError: images have no features; the message names the files.
    """
    matrices = {split: LabelMatrix.load(path) for split, path in labels.items()}
    train.require(matrices["val"].classes, name="the observed labels", other=labels["val"])
    image_id = {"train": train.image_id} | {split: matrix.image_id for split, matrix in matrices.items()}
    x: dict[str, np.ndarray] = {}
    for file, path in feature_files.items():
        within = [split for split in image_id if _place(split, feature_files) == file]
        found = features.rows(path, *(image_id[split] for split in within))
        x |= dict(zip(within, found, strict=True))
    width, classes = x["train"].shape[1], len(train.classes)

    def build(seed: int) -> keras.Model:
        return linear_model(width, classes, seed=seed)

    sources: dict[str, Source] = {}
    for split in list(x):
        sources[split] = InMemory(in_memory(x.pop(split)), np.arange(len(image_id[split])), 0)
    return Samples(sources, image_id, LabelMatrix.load(validation).labels, build)


def of_images(
    folders: Mapping[str, str],
    train: Observed,
    labels: Mapping[str, str],
    validation: str,
    *,
    base: Mapping[str, Any],
    preprocess: str,
    start: str | None,
    memory_gb: float,
    reading: Mapping[str, Any],
    batch_size: int,
) -> Samples:
    """Images of all splits, and the whole network with a linear classifier on its averaged last map; all of it trains.

    Args:
        folders: where the images of train, test and, where validation is no part of train, val lie.
        train: see `of_features`.
        labels: see `of_features`.
        validation: see `of_features`.
        base: arguments of `backbones.build`.
        preprocess: normalisation of the images; those that train are flipped at random before it.
        start: `…/{run}/best.weights.h5` of a linear run, whose classifier is taken; None: a fresh one.
        memory_gb: decoded images are kept in memory up to this size.
        reading: how images are read: workers, damaged.
        batch_size: of predictions.
    """
    matrices = {split: LabelMatrix.load(path) for split, path in labels.items()}
    image_id = {"train": train.image_id} | {split: matrix.image_id for split, matrix in matrices.items()}
    train.require(matrices["val"].classes, name="the observed labels", other=labels["val"])
    names = {"train": train.file_name} | {split: matrix.file_name for split, matrix in matrices.items()}

    def build(seed: int) -> keras.Model:
        keras.backend.clear_session()
        model = whole_model(base, len(train.classes), seed=seed)
        if start:
            take_classifier(model, start)
        return model

    size = backbones.build(**base).input_shape[1:3]
    sources = {
        split: image_files.source(
            [Path(folders[_place(split, folders)], name) for name in names[split]],
            np.arange(len(names[split])),
            size,
            seed=0,
            memory_gb=memory_gb,
            reading=reading,
        )
        for split in names
    }
    plain, flipped = _preparation(preprocess, ""), _preparation(preprocess, "f")
    return Samples(sources, image_id, LabelMatrix.load(validation).labels, build, flipped, plain, batch_size)


def linear_model(inputs: int, classes: int, *, seed: int) -> keras.Model:
    """Features N×inputs → logits N×classes."""
    x = keras.Input((inputs,), name="features")
    return keras.Model(x, classifier(inputs, classes, seed=seed)(x), name="linear")


def whole_model(base: Mapping[str, Any], classes: int, *, seed: int) -> keras.Model:
    """Normalised images → logits N×classes: the base network, the average over its last map, a linear classifier.

    Args:
        base: arguments of `backbones.build`.
        classes: how many.
        seed: of the classifier.
    """
    network = backbones.build(**base)
    network.trainable = True
    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(network.output)
    head = classifier(pooled.shape[1], classes, seed=seed)
    return keras.Model(network.input, head(pooled), name="multilabel")


def take_classifier(model: keras.Model, weights: str | Path) -> None:
    """Give a whole model the classifier of a linear run, whose weights are `…/{run}/best.weights.h5`."""
    head = model.get_layer(LOGITS)
    linear = linear_model(head.input.shape[1], head.units, seed=0)
    linear.load_weights(weights)
    head.set_weights(linear.get_weights())


def in_memory(x: np.ndarray) -> tf.Tensor:
    """An array of `features.empty` as a tensor that shares its memory; it must stay as it is."""
    return tf.experimental.dlpack.from_dlpack(x.__dlpack__())


def classifier(inputs: int, classes: int, *, seed: int) -> keras.layers.Layer:
    """A linear layer, initialised as PyTorch does: weights and biases uniform in ±1/√inputs."""
    kernel, bias = (
        keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5, seed=seed * 1000 + number) for number in (0, 1)
    )
    return keras.layers.Dense(classes, name=LOGITS, kernel_initializer=kernel, bias_initializer=bias)


def _place(split: str, places: Mapping[str, str]) -> str:
    """Of which split the files have a split: those of val are among those of train, unless it has its own."""
    return split if split in places else "train"


def _preparation(preprocess: str, letters: str) -> Prepare:
    """What happens to images inside a step: augmentation by its letters, then normalisation."""

    def prepare(pixels: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        return normalise(augment(pixels, letters, step) if letters else pixels, preprocess)

    return prepare
