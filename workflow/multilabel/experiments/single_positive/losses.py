"""Ten losses for partly observed labels (Cole et al. 2021, sections 3 and 4), as objectives of the training loop.

A loss takes what was observed, N×L: 1 for a label that is there, −1 for one that is not, 0 for one that nobody looked
at; and logits, N×L, of the same type, float32 or float64. With p = sigmoid(logit) and nl(x) = −ln(x + 1e-5) it is the
mean over all N·L cells of what its docstring says of a cell, plus a regulariser for EPR and ROLE.

1 − p is computed as sigmoid(−logit), and the derivative of p as their product: in float32 the difference would lose
most digits where p is near 1, and the published code is off by up to 3e-5 there.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from multilabel.experiments.single_positive.runs import LOSSES
from multilabel.training.objectives import Objective

EPSILON = 1e-5
"""Added to every probability before its logarithm: no cell costs more than 11.5."""
SMOOTHING = 0.1
"""Of BCE-LS and AN-LS."""
START = 0.6
"""Unobserved labels start with an estimate between 1 − this and this."""
CERTAIN = 0.995
"""The estimate with which an observed label starts; 1 − this for one observed as absent."""
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(observed N×L, logits N×L) → scalar."""


def assume_negative(observed: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """AN, and BCE where every label is observed: nl(p) for a positive, nl(1 − p) for any other."""
    p, q = _probabilities(logits)
    return tf.reduce_mean(_negative_log(tf.where(observed > 0, p, q)))


def assume_negative_smoothed(observed: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """AN-LS, and BCE-LS where every label is observed: AN with a tenth of each cell's weight on its opposite."""
    p, q = _probabilities(logits)
    likely, other = _negative_log(tf.where(observed > 0, p, q)), _negative_log(tf.where(observed > 0, q, p))
    return tf.reduce_mean((1 - SMOOTHING) * likely + SMOOTHING * other)


def weak_assume_negative(observed: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """WAN: as AN, with the weight 1 / (L − 1) for any that is not a positive: together they weigh as much as one."""
    p, q = _probabilities(logits)
    weight = tf.where(observed > 0, tf.ones_like(logits), tf.ones_like(logits) / (logits.shape[-1] - 1))
    return tf.reduce_mean(weight * _negative_log(tf.where(observed > 0, p, q)))


def ignore_unobserved(observed: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """IU and IUN: nl(p) for a positive, nl(1 − p) for an observed negative, nothing for the others.

    IU has one observed negative per image; IUN has all true negatives.
    """
    p, q = _probabilities(logits)
    return tf.reduce_mean(tf.abs(observed) * _negative_log(tf.where(observed > 0, p, q)))


def pairwise_ranking(observed: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """PR: at a positive i the sum over the image's unobserved labels j of max(0, 1 − pᵢ + pⱼ), else nothing.

    The hinge never bends, because probabilities lie between 0 and 1: the sum is taken in closed form.
    """
    p, q = _probabilities(logits)
    unobserved = tf.cast(tf.equal(observed, 0), logits.dtype)
    count = tf.reduce_sum(unobserved, axis=1, keepdims=True)
    above = tf.reduce_sum(unobserved * p, axis=1, keepdims=True)
    return tf.reduce_mean(tf.cast(observed > 0, logits.dtype) * (count * q + above))


def expected_positive(observed: tf.Tensor, logits: tf.Tensor, expected: float) -> tf.Tensor:
    """EPR: nl(p) for a positive, nothing for the others, plus the regulariser of `expected` positives per image."""
    p, _ = _probabilities(logits)
    positive = tf.cast(observed > 0, logits.dtype)
    return tf.reduce_mean(positive * _negative_log(p)) + _regulariser(p, expected)


def online_estimation(
    observed: tf.Tensor, logits: tf.Tensor, estimator_logits: tf.Tensor, expected: float
) -> tf.Tensor:
    """ROLE: classifier p and label estimates e = sigmoid(estimator logit) learn from each other.

    Half of: nl(p) + nl(e) for a positive, and for every cell, observed or not, the cross-entropy of p with e as its
    truth and of e with p as its truth, whose truths are constants; plus half of both regularisers.
    """
    (p, not_p), (e, not_e) = _probabilities(logits), _probabilities(estimator_logits)
    nl_p, nl_not_p, nl_e, nl_not_e = (_negative_log(value) for value in (p, not_p, e, not_e))
    positive = tf.cast(observed > 0, logits.dtype)
    classifier = tf.stop_gradient(e) * nl_p + tf.stop_gradient(not_e) * nl_not_p
    estimator = tf.stop_gradient(p) * nl_e + tf.stop_gradient(not_p) * nl_not_e
    cells = tf.reduce_mean(positive * (nl_p + nl_e) + classifier + estimator)
    return (cells + _regulariser(p, expected) + _regulariser(e, expected)) / 2


class OfObserved(Objective):
    """A loss of observed labels and logits alone."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective`; truth is what was observed."""
        return self.loss(truth, outputs)


class OnlineEstimation(Objective):
    """ROLE and its estimator: a number per training image and label, learned at ten times the learning rate.

    The estimator is one dense variable, N×L float32: Adam's momentum also moves the rows outside a batch.
    """

    learning_rate_factor = 10.0

    def __init__(self, expected: float, estimator_logits: NDArray[np.float32]) -> None:
        self.estimator = keras.Variable(estimator_logits, dtype="float32", name="label_estimator")
        self.variables = [self.estimator]
        self.expected = expected

    def __call__(self, truth: tf.Tensor, outputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """See `Objective` and `online_estimation`."""
        return online_estimation(truth, outputs, tf.gather(self.estimator.value, rows), self.expected)

    @property
    def estimates(self) -> NDArray[np.float32]:
        """The estimated probability of each label of each training image, N×L."""
        return tf.sigmoid(self.estimator.value).numpy()


def objective(name: str, expected: float, estimator_logits: NDArray[np.float32] | None = None) -> Objective:
    """The objective of a loss.

    Args:
        name: one of `runs.LOSSES`.
        expected: positive labels per image, for EPR and ROLE: 2.9 on COCO, 1.5 on VOC 2012.
        estimator_logits: with which ROLE's estimator starts, N×L for all training images; see `initial_estimates`.

    Raises:
        ValueError: there is no such loss, or ROLE has no estimates; the message names it.
    """
    if name == "role":
        if estimator_logits is None:
            raise ValueError("loss role: expected initial estimates of the labels, found none")
        return OnlineEstimation(expected, estimator_logits)
    if name == "epr":
        return OfObserved(lambda observed, logits: expected_positive(observed, logits, expected))
    if name not in _SIMPLE:
        raise ValueError(f"loss: expected one of {', '.join(LOSSES)}, found {name!r}")
    return OfObserved(_SIMPLE[name])


def initial_estimates(observed: NDArray[np.int8], *, seed: int) -> NDArray[np.float32]:
    """Estimator logits N×L to begin with: near even for what was not observed, near certain for what was."""
    spread, certain = _logit(START), _logit(CERTAIN)
    logits = np.random.default_rng(seed).uniform(-spread, spread, observed.shape)
    return np.where(observed == 0, logits, certain * observed).astype(np.float32)


def estimates_from(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Estimator logits N×L from estimated labels, with which LinearInit's second phase begins: ±11.5 at most."""
    return _logit(np.clip(probabilities, EPSILON, 1 - EPSILON)).astype(np.float32)


def _logit(probability: Any) -> Any:
    return np.log(probability / (1 - probability))


def _negative_log(probability: tf.Tensor) -> tf.Tensor:
    return -tf.math.log(probability + EPSILON)


def _regulariser(probability: tf.Tensor, expected: float) -> tf.Tensor:
    """(mean number of expected positives per image − k)² / L²: R of the paper's Eq. 6."""
    found = tf.reduce_mean(tf.reduce_sum(probability, axis=1))
    return tf.square((found - expected) / probability.shape[-1])


@tf.custom_gradient
def _probabilities(logits: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable[..., tf.Tensor]]:
    """Probabilities p and 1 − p, both to full precision, as are their derivatives."""
    p, q = tf.sigmoid(logits), tf.sigmoid(-logits)
    return (p, q), lambda by_p, by_q: (by_p - by_q) * p * q


_SIMPLE: Mapping[str, Loss] = {
    "bce": assume_negative,
    "bce_ls": assume_negative_smoothed,
    "iun": ignore_unobserved,
    "iu": ignore_unobserved,
    "pr": pairwise_ranking,
    "an": assume_negative,
    "an_ls": assume_negative_smoothed,
    "wan": weak_assume_negative,
}
"""The losses that need nothing but observed labels and logits."""
