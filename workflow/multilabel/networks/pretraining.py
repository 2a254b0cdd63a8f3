"""The demo's ImageNet: its base network, trained to tell single objects apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

from multilabel.files import complete_or_absent
from multilabel.images.normalise import normalise
from multilabel.networks import backbones

PREPROCESS = "zmuvs"
WARM_UP = 1 / 12  # share of the steps


def train(
    single_objects: str | Path,
    weights: str | Path,
    classifier_weights: str | Path,
    *,
    base: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> None:
    """Train a base network and its classifier from random weights; write those they end with, at unit features' scale.

    The rate rises during the first steps and gradients are clipped: 13 layers of ReLU without normalisation otherwise
    stay where they start.

    Args:
        single_objects: HDF5 with `images` N×H×W×3 uint8 and `labels` (N,) int64.
        weights: the file of the base network's weights to write, `….weights.h5`.
        classifier_weights: the same of the whole network, see `classifier`.
        base: arguments of `backbones.build`, without weights; its convolutions fit any size of images, here theirs.
        epochs: passes over the images.
        batch_size: images per step.
        learning_rate: Adam's highest; it falls to zero along a cosine.
        seed: initial weights and order of the images.

    Raises:
        FloatingPointError: training diverged or died.
    """
    with h5py.File(single_objects, "r", locking=False) as file:
        pixels, labels = file["images"][()], file["labels"][()]
    keras.utils.set_random_seed(seed)
    network = backbones.build(**{**base, "weights": None, "seed": seed, "input_size": pixels.shape[1]})
    pooled = keras.Model(network.input, keras.layers.GlobalAveragePooling2D()(network.output))
    whole = classifier(network, int(labels.max()) + 1)
    steps = epochs * -(-len(labels) // batch_size)
    warm_up = round(steps * WARM_UP)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=learning_rate, warmup_steps=warm_up
    )
    whole.compile(
        keras.optimizers.Adam(schedule, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=50,  # with a call for each, an epoch takes a sixth longer
    )
    order = tf.data.Dataset.from_tensor_slices((pixels, labels)).shuffle(len(labels), seed=seed)
    batches = order.batch(batch_size).map(lambda batch, label: (normalise(batch, PREPROCESS), label))
    whole.fit(batches.prefetch(1), epochs=epochs, shuffle=False, verbose=2)
    deviation = float(np.std(pooled.predict(normalise(pixels[:1024], PREPROCESS), verbose=0)))
    if not deviation > 0:
        raise FloatingPointError(f"{weights}: features of standard deviation {deviation}; try a lower learning rate")
    scale(network, 1 / deviation)
    kernel, bias = whole.layers[-1].get_weights()
    whole.layers[-1].set_weights([kernel * deviation, bias])
    for model, path in ((network, weights), (whole, classifier_weights)):
        with complete_or_absent(path) as temporary:
            model.save_weights(temporary)


def classifier(network: keras.Model, classes: int) -> keras.Model:
    """The base network with what tells `classes` single objects apart: normalised images → logits N×classes."""
    pooled = keras.layers.GlobalAveragePooling2D()(network.output)
    return keras.Model(network.input, keras.layers.Dense(classes, name="predictions")(pooled))


def scale(network: keras.Model, factor: float) -> None:
    """Multiply what a stack of convolutions with ReLU puts out by `factor`, all layers taking an equal part.

    Adam leaves features some ten times as large as those of ImageNet's VGG16, at which the paper's learning rates
    (0.1, 0.05) diverge. ReLU(a·x) = a·ReLU(x) for a > 0, so the network computes the same but for the factor.
    """
    layers = [layer for layer in network.layers if layer.weights]
    share = factor ** (1 / len(layers))
    for depth, layer in enumerate(layers, start=1):
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * share, bias * share**depth])
