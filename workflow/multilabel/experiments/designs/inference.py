"""The scores of L networks of one output each: one network after the other, or all in one compiled call.

The call takes the same sums, so that its logits differ by rounding alone. Where the convolutions of all networks are
equal (Model 2), they run once; else the first, which all networks apply to the same image, is one convolution of L
times as many filters, and the further ones are grouped. The heads become one matrix product and one sum in both cases.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from multilabel.experiments.designs import networks

Scorer = Callable[[tf.Tensor], tf.Tensor]
"""Images from 0 to 1, N×size×size×3 float32, → logits N×L."""


def one_after_the_other(models: Sequence[keras.Model]) -> Scorer:
    """Each network in a compiled call of its own, as the tutorial does it."""
    calls = [tf.function(model, reduce_retracing=True, autograph=False) for model in models]
    return lambda images: tf.concat([call(images, training=False) for call in calls], axis=1)


def in_one_call(models: Sequence[keras.Model]) -> Scorer:
    """All networks in one compiled call."""
    shared = shares_convolutions(models)
    maps = _convolutions(models[:1] if shared else models)
    hidden, bias = _stacked(models, "hidden")
    output, offset = (values[..., 0] for values in _stacked(models, "logits"))  # L×hidden, L
    count, nodes = len(models), hidden.shape[-1]
    if shared:  # one product of the map with the columns of all heads
        hidden = hidden.transpose(1, 0, 2).reshape(-1, count * nodes)
    kernel = tf.constant(hidden)

    @tf.function(reduce_retracing=True, autograph=False)
    def logits(images: tf.Tensor) -> tf.Tensor:
        x = maps(images)
        rows = tf.shape(images)[0]
        if shared:
            x = tf.reshape(tf.reshape(x, [rows, kernel.shape[0]]) @ kernel, [rows, count, nodes])
        else:
            # N×h×w×(L·filters) → L×N×(h·w·filters)
            x = tf.reshape(x, [rows, x.shape[1], x.shape[2], count, x.shape[3] // count])
            x = tf.reshape(tf.transpose(x, [3, 0, 1, 2, 4]), [count, rows, kernel.shape[1]])
            x = tf.transpose(x @ kernel, [1, 0, 2])
        return tf.reduce_sum(tf.nn.relu(x + bias) * output, axis=2) + offset

    return logits


def shares_convolutions(models: Sequence[keras.Model]) -> bool:
    """Whether all networks have the same convolutions, bit by bit."""
    return len({networks.digest(model) for model in models}) == 1


def _convolutions(models: Sequence[keras.Model]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The layers before the heads of some networks, beside each other: images → N×h×w×(networks·filters)."""
    steps: list[Callable[[tf.Tensor], tf.Tensor]] = []
    of_each = zip(*(networks.convolutions(model) for model in models), strict=True)
    for position, layers in enumerate(of_each):
        kernel, bias = (np.concatenate([layer.get_weights()[index] for layer in layers], axis=-1) for index in (0, 1))
        steps.append(_convolution(kernel, bias, layers[0].padding.upper()))
        if position % 2:
            steps.append(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"))

    def apply(x: tf.Tensor) -> tf.Tensor:
        for step in steps:
            x = step(x)
        return x

    return apply


def _convolution(kernel: np.ndarray, bias: np.ndarray, padding: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """A convolution, grouped where its kernel takes fewer channels than it is given, with bias and ReLU.

    These are written as a sum and a maximum: TensorFlow would fuse a convolution with its own `bias_add` and `relu`,
    and without oneDNN, its default on processors before AVX-512, it has no fused one with groups.
    """
    kernel, bias = tf.constant(kernel), tf.constant(bias)
    return lambda x: tf.maximum(tf.nn.conv2d(x, kernel, 1, padding) + bias, 0)


def _stacked(models: Sequence[keras.Model], layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernels L×inputs×outputs and biases L×outputs of a dense layer of all networks."""
    kernels, biases = zip(*(model.get_layer(layer).get_weights() for model in models), strict=True)
    return np.stack(kernels), np.stack(biases)
