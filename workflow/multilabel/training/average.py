"""A moving average of a network's weights, which often generalises better than the weights themselves."""

from collections.abc import Sequence

import keras
import tensorflow as tf


class MovingAverage:
    """average ← decay · average + (1 − decay) · weights, after each step; it starts as a copy of the weights.

    Of all weights, those that do not train included: statistics of batch normalisation.
    """

    def __init__(self, weights: Sequence[keras.Variable], decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay of the moving average: expected at least 0 and less than 1, found {decay}")
        self.weights, self.decay = weights, decay
        self.variables = [
            keras.Variable(weight.numpy(), dtype=weight.dtype, trainable=False, name="average") for weight in weights
        ]

    def begin(self) -> None:
        """Be a copy of the weights as they are."""
        for average, weight in zip(self.variables, self.weights, strict=True):
            average.assign(weight.value)

    def update(self) -> None:
        """Take in the weights as they are after a step; runs in the compiled step."""
        for average, weight in zip(self.variables, self.weights, strict=True):
            change = tf.convert_to_tensor(average.value) - tf.convert_to_tensor(weight.value)
            average.value.assign_sub(tf.constant(1 - self.decay, change.dtype) * change)

    def exchange(self) -> None:
        """Put the average where the weights are and the weights where the average is; twice: as it was."""
        for average, weight in zip(self.variables, self.weights, strict=True):
            kept = average.numpy()
            average.assign(weight.value)
            weight.assign(kept)
