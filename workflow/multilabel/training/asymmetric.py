"""Asymmetric loss (Ridnik et al. 2021), and focal loss (Lin et al. 2017) as its special case."""

import tensorflow as tf

from multilabel.datasets.labels import IGNORED
from multilabel.training.objectives import Objective, mean


class AsymmetricLoss(Objective):
    """−w (y ln max(p, ε) + (1 − y) ln max(q, ε)), p the sigmoid of the output, q = min(1, 1 − p + clip).

    The weight w is (1 − p)^γ₊ where y is 1, (1 − q)^γ₋ where it is 0. The loss is the mean over all pairs of image and
    label, times `scale`. Clamps pass no gradient outside their bounds. Equal γ, clip 0 and a weight that is not
    detached make it the focal loss. The defaults are those of the training command of Liu et al. (2021).

    Args:
        gamma_negative: γ₋, how little easy negatives count.
        gamma_positive: γ₊, the same of positives.
        clip: the probability up to which a negative costs nothing.
        epsilon: ε, which bounds the loss of a pair.
        detached: whether the weight is a constant for the gradient.
        scale: what the mean is multiplied by.
        plain: as the authors' first version: the sum instead of mean and scale, and logarithms of at most 1 − ε.
        ignoring: see `Objective`.
    """

    def __init__(
        self,
        gamma_negative: float = 2.0,
        gamma_positive: float = 0.0,
        clip: float = 0.0,
        *,
        epsilon: float = 1e-5,
        detached: bool = True,
        scale: float = 1000.0,
        plain: bool = False,
        ignoring: bool = False,
    ) -> None:
        self.gamma_negative, self.gamma_positive, self.clip = gamma_negative, gamma_positive, clip
        self.epsilon, self.detached, self.scale, self.plain, self.ignoring = epsilon, detached, scale, plain, ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        p = tf.sigmoid(outputs)
        q = tf.minimum(1 - p + self.clip, 1.0) if self.clip else 1 - p
        positive = self._weight(1 - p, self.gamma_positive) * self._logarithm(p)
        negative = self._weight(1 - q, self.gamma_negative) * self._logarithm(q)
        cells = -truth * positive - (1 - truth) * negative
        if not self.plain:
            return self.scale * mean(cells, truth, self.ignoring)
        if self.ignoring:
            cells = tf.where(tf.not_equal(truth, IGNORED), cells, tf.zeros_like(cells))
        return tf.reduce_sum(cells)

    def _weight(self, base: tf.Tensor, gamma: float) -> tf.Tensor | float:
        if not gamma:
            return 1.0
        # Where the base is 0, the gradient of a root would be infinite, times none of the probability's: not a number.
        weight = tf.maximum(base, base.dtype.as_numpy_dtype(1e-30)) ** gamma
        return tf.stop_gradient(weight) if self.detached else weight

    def _logarithm(self, probability: tf.Tensor) -> tf.Tensor:
        bounded = tf.maximum(probability, self.epsilon)
        return tf.math.log(tf.minimum(bounded, 1 - self.epsilon) if self.plain else bounded)
