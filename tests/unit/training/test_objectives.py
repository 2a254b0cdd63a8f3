import numpy as np
import pytest
import tensorflow as tf

from multilabel.datasets.labels import IGNORED
from multilabel.training.asymmetric import AsymmetricLoss
from multilabel.training.objectives import BinaryCrossEntropy

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((6, 4)) < 0.4).astype(float)
LOGITS = RNG.normal(size=(6, 4)) * 4
LOGITS[0, :2] = 20, -20
HIDDEN = RNG.random((6, 4)) < 0.3
PLACES = np.arange(6)


def loss(objective, truth, logits=LOGITS):
    return float(objective(tf.constant(truth), tf.constant(logits), tf.constant(PLACES)))


def cross_entropy(truth, logits):
    return np.logaddexp(0, logits) - truth * logits


def test_binary_cross_entropy_is_the_mean_over_all_pairs():
    assert loss(BinaryCrossEntropy(), TRUTH) == pytest.approx(cross_entropy(TRUTH, LOGITS).mean(), abs=1e-12)


def test_without_focus_the_asymmetric_loss_is_the_binary_cross_entropy():
    objective = AsymmetricLoss(0.0, 0.0, epsilon=0.0, scale=1.0)
    assert loss(objective, TRUTH) == pytest.approx(loss(BinaryCrossEntropy(), TRUTH), abs=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_focal_loss_is_its_symmetric_case_with_finite_gradients(gamma):
    right = np.where(TRUTH == 1, 1 / (1 + np.exp(-LOGITS)), 1 / (1 + np.exp(LOGITS)))
    expected = np.mean(-((1 - right) ** gamma) * np.log(right))
    objective = AsymmetricLoss(gamma, gamma, epsilon=1e-30, detached=False, scale=1.0)
    assert loss(objective, TRUTH) == pytest.approx(expected, rel=1e-6)
    extreme = tf.constant(LOGITS * 10, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(extreme)
        value = objective(tf.constant(TRUTH, tf.float32), extreme, tf.constant(PLACES))
    assert np.isfinite(tape.gradient(value, extreme)).all()


@pytest.mark.parametrize("kind", [BinaryCrossEntropy, AsymmetricLoss])
def test_an_ignored_pair_changes_nothing_whatever_its_output(kind):
    objective, truth = kind(ignoring=True), np.where(HIDDEN, IGNORED, TRUTH)
    changed = np.where(HIDDEN, -3 * LOGITS, LOGITS)
    assert loss(objective, truth) == loss(objective, truth, changed)
    accuracy = [float(objective.accuracy(tf.constant(truth), tf.constant(logits))) for logits in (LOGITS, changed)]
    assert accuracy == pytest.approx([((LOGITS > 0) == TRUTH)[~HIDDEN].mean()] * 2)


def test_ignored_pairs_do_not_count_in_the_mean():
    expected = cross_entropy(TRUTH, LOGITS)[~HIDDEN].mean()
    truth = np.where(HIDDEN, IGNORED, TRUTH)
    assert loss(BinaryCrossEntropy(ignoring=True), truth) == pytest.approx(expected, abs=1e-12)
    assert loss(BinaryCrossEntropy(ignoring=True), np.full_like(TRUTH, IGNORED)) == 0
