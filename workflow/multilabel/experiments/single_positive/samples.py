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


def of_features(
    feature_files: Mapping[str, str], train: Observed, labels: Mapping[str, str], validation: str
) -> Samples:
    """Features of all splits in memory, and a linear classifier on them.

    Args:
        feature_files: train, from which the images of train and validation are taken, and test.
        train: which images train.
        labels: label files of validation and test, which name their images.
        validation: the label file by which epochs and runs are chosen; see `LabelMatrix`.

    Raises:
        ValueError: images have no features; the message names the files.
    """
    matrices = {split: LabelMatrix.load(path) for split, path in labels.items()}
    train.require(matrices["validation"].classes, name="the observed labels", other=labels["validation"])
    image_id = {"train": train.image_id} | {split: matrix.image_id for split, matrix in matrices.items()}
    of_pool = features.rows(feature_files["train"], train.image_id, image_id["validation"])
    x = dict(zip(("train", "validation"), of_pool, strict=True))
    (x["test"],) = features.rows(feature_files["test"], image_id["test"])
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
        folders: where the images of train and test lie; those of validation are among the first.
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
    train.require(matrices["validation"].classes, name="the observed labels", other=labels["validation"])
    names = {"train": train.file_name} | {split: matrix.file_name for split, matrix in matrices.items()}

    def build(seed: int) -> keras.Model:
        keras.backend.clear_session()
        network = backbones.build(**base)
        network.trainable = True
        pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(network.output)
        head = classifier(pooled.shape[1], len(train.classes), seed=seed)
        model = keras.Model(network.input, head(pooled), name="multilabel")
        if start:
            linear = linear_model(pooled.shape[1], len(train.classes), seed=0)
            linear.load_weights(start)
            head.set_weights(linear.get_weights())
        return model

    size = backbones.build(**base).input_shape[1:3]
    sources = {
        split: image_files.source(
            [Path(folders["test" if split == "test" else "train"], name) for name in names[split]],
            np.arange(len(names[split])),
            size,
            seed=0,
            memory_gb=memory_gb,
            reading=reading,
        )
        for split in ("train", "validation", "test")
    }
    plain, flipped = _preparation(preprocess, ""), _preparation(preprocess, "f")
    return Samples(sources, image_id, LabelMatrix.load(validation).labels, build, flipped, plain, batch_size)


def linear_model(inputs: int, classes: int, *, seed: int) -> keras.Model:
    """Features N×inputs → logits N×classes."""
    x = keras.Input((inputs,), name="features")
    return keras.Model(x, classifier(inputs, classes, seed=seed)(x), name="linear")


def in_memory(x: np.ndarray) -> tf.Tensor:
    """An array of `features.empty` as a tensor that shares its memory; it must stay as it is."""
    return tf.experimental.dlpack.from_dlpack(x.__dlpack__())


def classifier(inputs: int, classes: int, *, seed: int) -> keras.layers.Layer:
    """A linear layer, initialised as PyTorch does: weights and biases uniform in ±1/√inputs."""
    kernel, bias = (
        keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5, seed=seed * 1000 + number) for number in (0, 1)
    )
    return keras.layers.Dense(classes, name="logits", kernel_initializer=kernel, bias_initializer=bias)


def _preparation(preprocess: str, letters: str) -> Prepare:
    """What happens to images inside a step: augmentation by its letters, then normalisation."""

    def prepare(pixels: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        return normalise(augment(pixels, letters, step) if letters else pixels, preprocess)

    return prepare
