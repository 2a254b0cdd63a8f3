"""Stage 1: small classifiers, trained on bottleneck features (Maddox 2017, sections 4.2 and 4.3)."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from multilabel import provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import runs
from multilabel.experiments.transfer.runs import TopModelRun
from multilabel.networks import backbones
from multilabel.training import feature_files, loop, optimisers
from multilabel.training.objectives import BinaryCrossEntropy
from multilabel.training.schedule import Schedule
from multilabel.training.sources import Source


class Dense(keras.layers.Dense):
    """Keras' layer without an activation, with a backward pass that takes CPUs half of the time in large layers."""

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """N×inputs → N×nodes; see Keras."""
        return _product(inputs, tf.convert_to_tensor(self.kernel)) + self.bias


@tf.custom_gradient
def _product(x: tf.Tensor, w: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """The matrix product x·w, whose gradient g·wᵀ is computed as (w·gᵀ)ᵀ: that leaves the large matrix as it lies."""

    def gradient(g: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.transpose(tf.matmul(w, g, transpose_b=True)), tf.matmul(x, g, transpose_a=True)

    return tf.matmul(x, w), gradient


def build(run: TopModelRun, inputs: int, classes: int, *, seed: int) -> keras.Model:
    """The top model of a run: features N×inputs → logits N×classes.

    Each hidden layer is Dense → ReLU → Dropout, or Dense → BatchNormalization → ReLU with `bn`. The scores are the
    sigmoid of the logits.
    """
    x = inputs_ = keras.Input((inputs,), name="features")
    for layer in range(1, run.layers + 1):
        x = Dense(run.nodes, name=f"hidden_{layer}", kernel_initializer=_glorot(seed, layer))(x)
        if run.dropout is None:
            x = keras.layers.BatchNormalization(name=f"normalisation_{layer}")(x)
        x = keras.layers.ReLU(name=f"relu_{layer}")(x)
        if run.dropout is not None:
            x = keras.layers.Dropout(run.dropout, name=f"dropout_{layer}")(x)
    logits = keras.layers.Dense(classes, name="logits", kernel_initializer=_glorot(seed, 0))(x)
    return keras.Model(inputs_, logits, name="top_model")


class Models:
    """Top models for one run after the other: those of the same layers take turns in one, which is compiled once.

    Only the last one stays, so that a grid needs no more memory than its largest run.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Make none yet, with `settings` as of `train`."""
        self.settings = settings
        self._alike: tuple[Any, ...] | None = None

    def training(self, run: TopModelRun, inputs: int, classes: int) -> loop.Training:
        """What `loop.run` takes for a run on features of `inputs` numbers, with the weights that its seed gives."""
        alike = run.layers, run.nodes, run.regulariser, inputs, classes
        if alike != self._alike:
            model = build(run, inputs, classes, seed=self.settings["seed"])
            optimizer = optimisers.sgd(run.learning_rate, self.settings["momentum"], self.settings["decay"])
            self._last, self._initial = loop.Training(model, BinaryCrossEntropy(), optimizer), model.get_weights()
            self._score = loop.scorer(model)
            self._alike = alike
        self._last.model.set_weights(self._initial)
        self._last.optimizer.learning_rate = run.learning_rate
        return self._last

    def predict(self, path: str | Path) -> tuple[np.ndarray, np.ndarray]:
        """Image ids (N,) and scores N×L, float32, of the run that was trained last on a feature file."""
        return self._score(_images(path, self.settings["memory_gb"])[0])


def train(
    features: Mapping[str, Sequence[str]],
    *,
    labels: Sequence[str],
    folder: str | Path,
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
    timing: str | Path | None = None,
    tensorboard: str | Path | None = None,
    models: Models | None = None,
) -> None:
    """Train runs one after the other in this process: what they share is read and compiled once.

    Args:
        features: run name → its feature files of train and val; runs that share them stand together.
        labels: label files of train and val.
        folder: where each run gets its folder, see `loop.run`.
        settings: epochs, patience, min_delta, momentum, decay, seed, memory_gb.
        record: what each `run.json` records of the runs' origin.
        timing: where each run gets a file `{run}.csv` of the seconds of its epochs; None: no files.
        tensorboard: where each run gets a folder of TensorBoard's logs; None: no logs.
        models: what calls share, with the same settings; None: nothing.
    """
    models = models or Models(settings)
    for files, group in itertools.groupby(features, key=lambda name: tuple(features[name])):
        inputs = provenance.digests([*files, *labels])
        splits = [_labelled(*pair, settings) for pair in zip(files, labels, strict=True)]
        for name in sorted(group, key=_layers):
            run = _top_model_run(name)
            loop.run(
                Path(folder) / name,
                {"specification": asdict(run), "inputs": inputs, "settings": settings, **record},
                models.training(run, splits[0].inputs, splits[0].classes),
                *(split.source for split in splits),
                Schedule(settings["epochs"], settings["patience"], settings["min_delta"]),
                batch_size=run.batch_size,
                seed=settings["seed"],
                timing=Path(timing) / f"{name}.csv" if timing else None,
                tensorboard=Path(tensorboard) / name if tensorboard else None,
            )
    for name in features:
        loop.forget(Path(folder) / name)


def files_of(folder: str | Path, name: str) -> list[str]:
    """The files of train and val in a folder of features that a run is trained on."""
    run = _top_model_run(name)
    return [str(Path(folder, run.feature_file(split))) for split in ("train", "val")]


def load(weights: str | Path, inputs: int, classes: int) -> keras.Model:
    """The top model of a finished run, from `…/{run}/best.weights.h5`.

    Raises:
        ValueError: the weights do not fit; the message names the file.
    """
    model = build(_top_model_run(Path(weights).parent.name), inputs, classes, seed=0)
    backbones.load_weights(model, Path(weights))
    return model


def predict(
    weights: str | Path, features: Sequence[str | Path], classes: int, *, memory_gb: float = 1.0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Image ids (N,) and scores N×L, float32, of a finished run on each feature file; larger ones are read in parts."""
    scores: loop.Scorer | None = None
    for path in features:
        source, inputs = _images(path, memory_gb)
        scores = scores or loop.scorer(load(weights, inputs, classes))
        yield scores(source)


def _images(path: str | Path, memory_gb: float) -> tuple[Source, int]:
    """A feature file as samples that say which image they are; and how many numbers each has."""
    return feature_files.source(path, lambda image_id: image_id, 0, memory_gb)


class _Split(NamedTuple):
    """Samples of a split, numbers per sample, and classes."""

    source: Source
    inputs: int
    classes: int


def _labelled(feature_file: str, label_file: str, settings: Mapping[str, Any]) -> _Split:
    """Features with the labels of the same images."""
    matrix = LabelMatrix.load(label_file)

    def labels_of(image_id: np.ndarray) -> np.ndarray:
        return matrix.targets[matrix.rows_of(image_id, name=label_file, other=feature_file)]

    source, inputs = feature_files.source(feature_file, labels_of, settings["seed"], settings["memory_gb"])
    return _Split(source, inputs, len(matrix.classes))


def _top_model_run(name: str) -> TopModelRun:
    run = runs.parse(name)
    if not isinstance(run, TopModelRun):
        raise ValueError(f"run name {name}: expected a run of stage 1, found a fine-tuned one")
    return run


def _layers(name: str) -> tuple[int, int, str]:
    """By this, runs of the same layers stand together."""
    run = _top_model_run(name)
    return run.layers, run.nodes, run.regulariser


def _glorot(seed: int, layer: int) -> keras.initializers.Initializer:
    """Keras' default initialisation, another draw for each layer."""
    return keras.initializers.GlorotUniform(seed=seed * 1000 + layer)
