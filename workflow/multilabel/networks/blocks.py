"""What networks of PyTorch are made of: linear layers, layer normalisation, attention, with its names and numbers.

Keras' own layers differ where it shows: layer normalisation has ε 1e-3, attention another layout of its weights.
"""

import itertools
from collections.abc import Callable, Container
from typing import Any

import keras
import numpy as np
import tensorflow as tf

EPSILON = 1e-5
"""Of PyTorch's normalisations."""

registered = keras.saving.register_keras_serializable("multilabel")


class Block(keras.layers.Layer):
    """A layer whose variables are called as in PyTorch, within its module, and lie as there: a linear one (out, in).

    Subclasses add variables in `build` and use them in `call`. `options` are the arguments that they were made with.
    """

    def __init__(self, *, name: str | None = None, dtype: Any = None, trainable: bool = True, **options: Any) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.options = options
        self.parameters: dict[str, keras.Variable] = {}

    def get_config(self) -> dict[str, Any]:
        """All that makes the same layer again."""
        return super().get_config() | self.options

    def add(self, name: str, shape: tuple[int, ...], initializer: Any, *, trainable: bool = True) -> None:
        """A variable."""
        made = self.add_weight(name=name, shape=shape, initializer=initializer, trainable=trainable)
        self.parameters[name] = made

    def add_linear(
        self, name: str, inputs: int, outputs: int, weight: Any = "glorot_uniform", bias: Any = "zeros"
    ) -> None:
        """`name.weight` (out, in) and `name.bias`, with their initialisers."""
        self.add(f"{name}.weight", (outputs, inputs), weight)
        self.add(f"{name}.bias", (outputs,), bias)

    def add_norm(self, name: str, width: int) -> None:
        """`name.weight` and `name.bias`."""
        self.add(f"{name}.weight", (width,), "ones")
        self.add(f"{name}.bias", (width,), "zeros")

    def linear(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """… × in → … × out."""
        return linear(x, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])

    def norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Layer normalisation over the last axis."""
        return layer_norm(x, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])

    def buffers(self) -> dict[str, np.ndarray]:
        """What PyTorch stores with the weights although it follows from the architecture."""
        return {}


def linear(x: tf.Tensor, weight: Any, bias: Any = None) -> tf.Tensor:
    """… × in → … × out with weights (out, in), all axes but the first known."""
    flat = tf.linalg.matmul(tf.reshape(x, (-1, x.shape[-1])), weight, transpose_b=True)
    return tf.reshape(flat if bias is None else tf.nn.bias_add(flat, bias), (-1, *x.shape[1:-1], weight.shape[0]))


def layer_norm(x: tf.Tensor, weight: Any, bias: Any) -> tf.Tensor:
    """Layer normalisation over the last axis; in float32 at least."""
    wide = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    mean, variance = tf.nn.moments(wide, -1, keepdims=True)
    normal = (wide - mean) * tf.math.rsqrt(variance + EPSILON)
    return tf.cast(normal * tf.cast(weight, wide.dtype) + tf.cast(bias, wide.dtype), x.dtype)


def attention(
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    heads: int,
    *,
    scale: float,
    bias: tf.Tensor | None = None,
    dropout: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Attention of several heads, which are consecutive parts of the last axis.

    Args:
        q: N×…×Q×d.
        k: N×…×K×d.
        v: N×…×K×d.
        heads: how many.
        scale: factor on the products of q and k.
        bias: what is added to them, broadcast to N×…×heads×Q×K.
        dropout: of the weights.

    Returns:
        N×…×Q×d, and the weights before dropout, N×…×heads×Q×K.
    """
    axes = [*range(len(q.shape) - 2), len(q.shape) - 1, len(q.shape) - 2, len(q.shape)]  # exchanges tokens and heads

    def split(x: tf.Tensor) -> tf.Tensor:
        return tf.transpose(tf.reshape(x, (-1, *x.shape[1:-1], heads, x.shape[-1] // heads)), axes)

    products = tf.linalg.matmul(split(q) * tf.cast(scale, q.dtype), split(k), transpose_b=True)
    weights = tf.nn.softmax(products if bias is None else products + tf.cast(bias, products.dtype))
    seen = tf.transpose(tf.linalg.matmul(dropout(weights), split(v)), axes)
    return tf.reshape(seen, (-1, *q.shape[1:-1], v.shape[-1])), weights


@registered
class LayerNorm(Block):
    """Layer normalisation over the last axis as PyTorch's `nn.LayerNorm`: `weight` and `bias`."""

    def build(self, shape: Any) -> None:
        """Variables of the last axis' width."""
        self.add("weight", (shape[-1],), "ones")
        self.add("bias", (shape[-1],), "zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Any shape → the same."""
        return layer_norm(x, self.parameters["weight"], self.parameters["bias"])


@registered
class FrozenBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation whose statistics and affine part are constants, as in DETR's backbones."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "trainable": False})


def drop_path(rate: float, rank: int, name: str | None = None) -> keras.layers.Layer:
    """Leaves out the whole branch of an image with this probability, in training (stochastic depth)."""
    return keras.layers.Dropout(rate, noise_shape=(None, *[1] * (rank - 1)), name=name)


def count(keys: Container[str], pattern: str) -> int:
    """How many of the keys `pattern.format(0)`, `pattern.format(1)`, … there are.

    >>> count({"layer.0.weight", "layer.1.weight"}, "layer.{}.weight")
    2
    """
    return next(number for number in itertools.count() if pattern.format(number) not in keys)
