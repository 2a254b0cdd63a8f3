"""Logistic regression on features of all blocks as a model file, and the network of such a file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from multilabel import export
from multilabel.export import Model
from multilabel.images.normalise import normalise
from multilabel.networks import backbones
from multilabel.training import linear


def save(
    path: str | Path,
    name: str,
    classifiers: linear.LinearModel,
    *,
    classes: Sequence[str],
    thresholds: ArrayLike,
    base: Mapping[str, Any],
    base_weights: str | None,
    blocks: Sequence[str],
    bag: str,
    preprocess: str,
    provenance: Mapping[str, Any],
) -> None:
    """Write linear classifiers with the network that gives their features as a model file.

    Args:
        path: the file to write.
        name: what the run is called.
        classifiers: of L labels.
        classes: L names.
        thresholds: the lowest probability at which each label is predicted, L.
        base: arguments of `backbones.build`, weights apart.
        base_weights: the base network's weights.
        blocks: see `backbones.with_blocks`.
        bag: likewise.
        preprocess: the normalisation of the images.
        provenance: where the classifiers come from.
    """
    settings = {"blocks": list(blocks), "bag": bag}
    whole = _whole({**base, "weights": base_weights}, settings, len(classes))
    weights, intercept = (values.astype(np.float32) for values in (classifiers.weights, classifiers.intercept))
    whole.get_layer(LOGITS).set_weights([weights, intercept])
    with export.weights_of(whole) as weights_file:
        export.save(
            path,
            weights_file,
            experiment="miml",
            run=name,
            base=base,
            preprocess=preprocess,
            classes=classes,
            thresholds=np.asarray(thresholds),
            statistics=None,
            provenance=provenance,
            settings=settings,
        )


def network(model: Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """The Keras model, normalised images → decision values, and a function from its images to probabilities.

    See `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit.
    """
    try:
        network_ = _whole({**model.base, "weights": None}, model.settings, len(model.classes))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{model.path}: its description is not that of a network: {error}") from error
    backbones.load_weights(network_, model.path)

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(network_(normalise(pixels, model.preprocess, model.statistics), training=False))

    return network_, scores


LOGITS = "logits"


def _whole(base: Mapping[str, Any], settings: Mapping[str, Any], classes: int) -> keras.Model:
    """The base network, features of all blocks, and one linear classifier per label."""
    below = backbones.build(**base, top=settings["bag"] != "average")
    features, _ = backbones.with_blocks(below, settings["blocks"], settings["bag"])
    return keras.Model(features.input, keras.layers.Dense(classes, name=LOGITS)(features.output), name="miml")
