"""The demo's ImageNet: its base network, trained to tell single objects apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf

from multilabel import backbones, images
from multilabel.files import complete_or_absent

PREPROCESS = "zmuvs"


def train(
    single_objects: str | Path,
    weights: str | Path,
    *,
    base: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> None:
    """Train a base network from random weights and write those it ends with.

    Args:
        single_objects: HDF5 with `images` N×H×W×3 uint8 and `labels` (N,) int64.
        weights: the weights file to write, `….weights.h5`.
        base: arguments of `backbones.build`, without weights.
        epochs: passes over the images.
        batch_size: images per step.
        learning_rate: Adam's at the start; it falls to zero along a cosine.
        seed: initial weights and order of the images.
    """
    with h5py.File(single_objects, "r", locking=False) as file:
        pixels, labels = file["images"][()], file["labels"][()]
    keras.utils.set_random_seed(seed)
    network = backbones.build(**{**base, "weights": None, "seed": seed})
    x = keras.layers.GlobalAveragePooling2D()(network.output)
    classifier = keras.Model(network.input, keras.layers.Dense(int(labels.max()) + 1)(x))
    steps = epochs * -(-len(labels) // batch_size)
    classifier.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    order = tf.data.Dataset.from_tensor_slices((pixels, labels)).shuffle(len(labels), seed=seed)
    batches = order.batch(batch_size).map(lambda batch, label: (images.normalise(batch, PREPROCESS), label))
    classifier.fit(batches.prefetch(1), epochs=epochs, verbose=2)
    with complete_or_absent(weights) as temporary:
        network.save_weights(temporary)
