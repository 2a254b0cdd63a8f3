"""What a batch of images becomes: normalised, through the base network, pooled."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multilabel.features.files import Design, design_name
from multilabel.images.normalise import ChannelStatistics, normalise

if TYPE_CHECKING:
    import keras


def compiled(
    base: "keras.Model",
    designs: Sequence[Design],
    statistics: ChannelStatistics | None,
    *,
    xla: bool,
    mixed_precision: bool,
) -> Callable[[np.ndarray], dict[str, Any]]:
    """A compiled function: uint8 images B×H×W×3 → the features of each design, by its name."""
    import tensorflow as tf

    network = _in_float16(base) if mixed_precision else base
    pooled = {"77": _flat, "avg": _average, "max": _maximum, "blocks": tf.identity}  # blocks: `backbones.with_blocks`

    @tf.function(jit_compile=xla or None, autograph=False)
    def forward(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {}
        for preprocess in dict.fromkeys(preprocess for preprocess, _ in designs):
            feature_map = network(normalise(pixels, preprocess, statistics), training=False)
            for pooling in (pooling for kind, pooling in designs if kind == preprocess):
                found[design_name((preprocess, pooling))] = pooled[pooling](tf.cast(feature_map, tf.float32))
        return found

    return lambda pixels: forward(tf.constant(pixels))


def _in_float16(base: "keras.Model") -> "keras.Model":
    """The same network with layers that work in float16 on float32 weights."""
    import keras

    def cloned(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config(layer.get_config() | {"dtype": "mixed_float16"})

    network = keras.models.clone_model(base, clone_function=cloned)
    network.set_weights(base.get_weights())
    return network


def _filled_up(pixels: np.ndarray, count: int) -> np.ndarray:
    """A batch of `count` images, black ones after those that are there."""
    return np.concatenate([pixels, np.zeros((count - len(pixels), *pixels.shape[1:]), np.uint8)])


def _flat(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tf.reshape(feature_map, [tf.shape(feature_map)[0], -1]), tf.float16)


def _average(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(feature_map, axis=[1, 2])


def _maximum(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_max(feature_map, axis=[1, 2])
