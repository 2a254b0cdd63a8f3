"""What training minimises."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import keras
import tensorflow as tf

from multilabel.datasets.labels import IGNORED


class Objective(ABC):
    """What a loop asks about a loss, with the answers that most losses give; a loss says what `__call__` does.

    Truth comes as the source stores it, cast to the type of the outputs: 0 and 1 for most, IGNORED for a pair of image
    and label that counts neither way. A loss that sources with such pairs may use has the option `ignoring`; without it
    no step pays for them.
    """

    variables: Sequence[keras.Variable] = ()
    """What the objective owns: trained with the network and kept in the state.

    Each has a row per sample of the training source, and a step reads it as `tf.gather(variable.value, rows)` only.
    """
    learning_rate_factor: float = 1.0
    """Of these variables; what the optimiser's learning rate is multiplied by."""
    ignoring: bool = False
    """Whether truth may hold IGNORED."""

    @abstractmethod
    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """The loss of a batch, a scalar.

        Args:
            truth: n×L, see above.
            outputs: n×L, of the network.
            rows: int64 (n,), the positions of the samples in the whole source, each at most once.
        """

    def activation(self, outputs: tf.Tensor) -> tf.Tensor:
        """The scores of outputs, n×L."""
        return tf.sigmoid(outputs)

    def accuracy(self, truth: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """The share of right decisions at a probability of 0.5, of pairs that count."""
        return mean(tf.cast(tf.equal(outputs > 0, truth > 0.5), tf.float32), truth, self.ignoring)


class BinaryCrossEntropy(Objective):
    """The mean of −y ln p − (1 − y) ln(1 − p) over all pairs of image and label, p the sigmoid of the output."""

    def __init__(self, *, ignoring: bool = False) -> None:
        self.ignoring = ignoring

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`."""
        return mean(tf.nn.sigmoid_cross_entropy_with_logits(truth, outputs), truth, self.ignoring)


def mean(cells: tf.Tensor, truth: tf.Tensor, ignoring: bool) -> tf.Tensor:
    """The mean of the cells of an n×L matrix, with `ignoring` of those that count; 0 where none does."""
    if not ignoring:
        return tf.reduce_mean(cells)
    counted = tf.not_equal(truth, IGNORED)
    kept = tf.where(counted, cells, tf.zeros_like(cells))
    return tf.math.divide_no_nan(tf.reduce_sum(kept), tf.reduce_sum(tf.cast(counted, cells.dtype)))
