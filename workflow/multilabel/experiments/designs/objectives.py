"""What a forum proposes to minimise (paper 002), and what a tutorial advises for rare classes (paper 004, section 8).

Outputs are those of a last layer without activation; y is 0 or 1, z an output, σ the sigmoid. What the forum calls the
last layer's activation is here how scores follow from outputs. All losses are finite for any finite output.
"""

import numpy as np
import tensorflow as tf

from multilabel.datasets.labels import IGNORED
from multilabel.training.objectives import Objective, mean


class SquaredError(Objective):
    """The mean of (σ(z) − y)² over all pairs of image and label."""

    def __init__(self, *, ignoring: bool = False) -> None:
        self.ignoring = ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        return mean(tf.square(tf.sigmoid(outputs) - truth), truth, self.ignoring)


class TanhSquaredError(Objective):
    """The mean of (tanh(z) − t)², where t is 1 for a label and −1 for none; scores are (1 + tanh(z)) / 2.

    Since tanh(z) = 2σ(2z) − 1, it is four times `SquaredError` of outputs twice as large: what differs is how fast it
    learns.
    """

    def __init__(self, *, ignoring: bool = False) -> None:
        self.ignoring = ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        return mean(tf.square(tf.tanh(outputs) - (2 * truth - 1)), truth, self.ignoring)

    def activation(self, outputs: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        return (1 + tf.tanh(outputs)) / 2


class Softmax(Objective):
    """The cross-entropy of the softmax with labels divided by their number, mean over the images that have labels.

    Scores sum to 1 in each image: of k labels, none can be sure of more than 1/k without another having less. An
    ignored label takes no part.
    """

    def __init__(self, *, ignoring: bool = False) -> None:
        self.ignoring = ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        if self.ignoring:
            ignored = tf.equal(truth, IGNORED)
            truth = tf.where(ignored, tf.zeros_like(truth), truth)
            outputs = tf.where(ignored, outputs.dtype.min / 2, outputs)
        labels = tf.reduce_sum(truth, axis=1)
        shares = tf.math.divide_no_nan(truth, labels[:, tf.newaxis])
        losses = tf.nn.softmax_cross_entropy_with_logits(shares, outputs)
        labelled = tf.cast(labels > 0, losses.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(losses * labelled), tf.reduce_sum(labelled))

    def activation(self, outputs: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        return tf.nn.softmax(outputs)

    def accuracy(self, truth: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        right = tf.equal(self.activation(outputs) > 0.5, truth > 0.5)
        return mean(tf.cast(right, tf.float32), truth, self.ignoring)


class Focal(Objective):
    """The mean of −(1 − p)^γ ln p, where p is the probability of what is true: σ(z) of a label, 1 − σ(z) of none.

    Lin et al. (2017), without their α: with γ = 0 it is the binary cross-entropy; the higher γ, the less do pairs count
    that are right already.
    """

    def __init__(self, gamma: float, *, ignoring: bool = False) -> None:
        self.gamma, self.ignoring = gamma, ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        of_truth = tf.where(truth > 0.5, outputs, -outputs)
        # ln(1 − p) = −softplus(of_truth): as an exponent it has a gradient even where 1 − p is too small for a number.
        cells = tf.exp(-self.gamma * tf.nn.softplus(of_truth)) * tf.nn.softplus(-of_truth)
        return mean(cells, truth, self.ignoring)


class WeightedBinaryCrossEntropy(Objective):
    """Binary cross-entropy whose pairs count by class and truth: the mean of weight · loss over all pairs.

    Args:
        positive: weight of the images of each class, L.
        negative: of the images without it, L.
        ignoring: see `Objective`.
    """

    def __init__(self, positive: np.ndarray, negative: np.ndarray, *, ignoring: bool = False) -> None:
        self.positive, self.negative = (np.asarray(weights, np.float32) for weights in (positive, negative))
        self.ignoring = ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        weights = tf.where(truth > 0.5, tf.cast(self.positive, outputs.dtype), tf.cast(self.negative, outputs.dtype))
        return mean(weights * tf.nn.sigmoid_cross_entropy_with_logits(truth, outputs), truth, self.ignoring)


def balanced_weights(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights with which the images with a class count as much as those without: positive and negative, float64 L.

    They are scikit-learn's `balanced` of each class, images / (2 · those with it) and images / (2 · those without). The
    tutorial takes them of all classes together, which weighs person as sheep. A class that all images or none have gets
    1 and 1.

    Args:
        labels: N×L, 0 or 1; IGNORED pairs do not count.

    >>> balanced_weights(np.array([[1], [0], [0], [0]]))
    (array([2.]), array([0.66666667]))
    """
    with_it, without = ((labels == value).sum(axis=0) for value in (1, 0))
    both = (with_it > 0) & (without > 0)
    images = with_it + without
    positive, negative = (np.where(both, images / np.maximum(2 * count, 1), 1.0) for count in (with_it, without))
    return positive, negative
