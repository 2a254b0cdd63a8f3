"""L1 logistic regression on features of all blocks as a model file, and the network of such a file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel import export
from multilabel.experiments.miml import protocol
from multilabel.export import Model
from multilabel.images.normalise import normalise
from multilabel.networks import backbones
from multilabel.training import linear


def save(
    path: str | Path,
    name: str,
    samples: protocol.Samples,
    *,
    base: Mapping[str, Any],
    base_weights: str | None,
    blocks: Sequence[str],
    bag: str,
    preprocess: str,
    c: float,
    solver: linear.Solver,
    provenance: Mapping[str, Any],
) -> None:
    """Train VGG+L1LR on all images and write it as a model file; a label is predicted from a probability of 0.5.

    Args:
        path: the file to write.
        name: what the run is called.
        samples: of the whole dataset.
        base: arguments of `backbones.build`, weights apart.
        base_weights: the base network's weights.
        blocks: see `backbones.with_blocks`.
        bag: likewise.
        preprocess: the normalisation of the images.
        c: liblinear's cost.
        solver: see `linear.fit`.
        provenance: where the samples come from.
    """
    model = linear.fit(samples.x, samples.truth, penalty="l1", c=c, solver=solver, report=print)
    settings = {"blocks": list(blocks), "bag": bag}
    whole = _whole({**base, "weights": base_weights}, settings, len(samples.classes))
    whole.get_layer(LOGITS).set_weights([model.weights.astype(np.float32), model.intercept.astype(np.float32)])
    with export.weights_of(whole) as weights:
        export.save(
            path,
            weights,
            experiment="miml",
            run=name,
            base=base,
            preprocess=preprocess,
            classes=samples.classes,
            thresholds=np.full(len(samples.classes), 0.5),
            statistics=None,
            provenance={**provenance, "images": len(samples.x), "c": c, "gap": float(model.gap.max())},
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
