"""One cycle of the learning rate with β₁ running against it (Smith and Topin 2018), step by step as PyTorch's."""

import math
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class OneCycle:
    """Cosines up to the maximum, then down: give both functions to `adam.Adam`.

    Args:
        maximum: highest learning rate.
        steps: of the whole training.
        rising: share of the steps until the maximum.
        start: the first learning rate is the maximum divided by this.
        end: the last one is the first one divided by this.
        betas: β₁ at the maximum, and at both ends.
    """

    maximum: float
    steps: int
    rising: float = 0.2
    start: float = 25.0
    end: float = 1e4
    betas: tuple[float, float] = (0.85, 0.95)

    def learning_rate(self, taken: tf.Tensor) -> tf.Tensor:
        """The learning rate after some steps, float64."""
        first = self.maximum / self.start
        return self._cycle(taken, first, self.maximum, first / self.end)

    def beta_1(self, taken: tf.Tensor) -> tf.Tensor:
        """β₁ after some steps, float64."""
        lowest, highest = self.betas
        return self._cycle(taken, highest, lowest, highest)

    def _cycle(self, taken: tf.Tensor, first: float, middle: float, last: float) -> tf.Tensor:
        taken = tf.cast(taken, tf.float64)
        top, bottom = self.rising * self.steps - 1, self.steps - 1.0
        up = _cosine(first, middle, taken / top)
        down = _cosine(middle, last, (taken - top) / (bottom - top))
        return tf.where(taken <= top, up, down)


def _cosine(start: float, end: float, share: tf.Tensor) -> tf.Tensor:
    """From `start` at a share of 0 to `end` at 1."""
    return end + (start - end) / 2 * (1 + tf.cos(math.pi * share))
