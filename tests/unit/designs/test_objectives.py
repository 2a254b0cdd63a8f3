"""Losses and gradients against float64 NumPy, with the formulas written out, at outputs of ±20 as well."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

from multilabel.experiments.designs import objectives
from multilabel.training.objectives import IGNORED, BinaryCrossEntropy

ROWS = tf.range(6, dtype=tf.int64)
TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1]], float)
OUTPUTS = np.array([[20, -20, 0], [-20, 20, 20], [20, -20, 0.3], [-1, 2, 20], [-20, -20, -20], [0.1, -0.2, 3]])
POSITIVE, NEGATIVE = np.array([2.0, 0.5, 7]), np.array([0.6, 1, 3])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cross_entropy(y, z):
    """ln(1 + e^−z) of a label, ln(1 + e^z) of none, and their derivative."""
    return np.log1p(np.exp(np.where(y == 1, -z, z))), sigmoid(z) - y


def squared_error(y, z):
    p = sigmoid(z)
    return (p - y) ** 2, 2 * (p - y) * p * (1 - p)


def tanh_squared_error(y, z):
    a = np.tanh(z)
    return (a - (2 * y - 1)) ** 2, 2 * (a - (2 * y - 1)) * (1 - a**2)


def weighted(y, z):
    weights = np.where(y == 1, POSITIVE, NEGATIVE)
    return tuple(weights * part for part in cross_entropy(y, z))


def focal(gamma):
    def cells(y, z):
        sign = 2 * y - 1
        p, rest = sigmoid(sign * z), sigmoid(-sign * z)  # of what is true, and what is left
        loss = -np.log1p(np.exp(-sign * z))
        return -(rest**gamma) * loss, sign * (gamma * rest**gamma * p * loss - rest ** (gamma + 1))

    return cells


CELLS = {
    "sigmoid, cross-entropy": (BinaryCrossEntropy, cross_entropy),
    "sigmoid, squared error": (objectives.SquaredError, squared_error),
    "tanh, squared error": (objectives.TanhSquaredError, tanh_squared_error),
    "focal, γ 0": (lambda **options: objectives.Focal(0, **options), focal(0)),
    "focal, γ 0.5": (lambda **options: objectives.Focal(0.5, **options), focal(0.5)),
    "focal, γ 2": (lambda **options: objectives.Focal(2, **options), focal(2)),
    "class weights": (lambda **o: objectives.WeightedBinaryCrossEntropy(POSITIVE, NEGATIVE, **o), weighted),
}


def loss_and_gradient(objective, truth=TRUTH, outputs=OUTPUTS):
    outputs = tf.constant(outputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = objective(tf.constant(truth, tf.float32), outputs, ROWS)
    return loss.numpy(), tape.gradient(loss, outputs).numpy()


@pytest.mark.parametrize("name", CELLS)
def test_loss_and_gradient_are_those_of_the_formula(name):
    make, cells = CELLS[name]
    losses, slopes = cells(TRUTH, OUTPUTS)
    loss, gradient = loss_and_gradient(make())
    np.testing.assert_allclose(loss, losses.mean(), rtol=1e-6)
    np.testing.assert_allclose(gradient, slopes / slopes.size, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_ignored_pairs_count_neither_way(name):
    make, cells = CELLS[name]
    ignored = np.zeros(TRUTH.shape, bool)
    ignored[[0, 3, 3], [0, 1, 2]] = True
    losses, slopes = (part[~ignored] for part in cells(TRUTH, OUTPUTS))
    loss, gradient = loss_and_gradient(make(ignoring=True), np.where(ignored, IGNORED, TRUTH))
    np.testing.assert_allclose(loss, losses.mean(), rtol=1e-6)
    np.testing.assert_allclose(gradient[~ignored], slopes / slopes.size, rtol=1e-6, atol=1e-6)
    assert not gradient[ignored].any()


def softmax_reference(counted):
    """Mean over images with labels of −Σ y/k · ln softmax, over the labels that count."""
    losses, gradient = [], np.zeros(TRUTH.shape)
    for row, (y, z) in enumerate(zip(TRUTH, OUTPUTS, strict=True)):
        where = counted[row]
        y, z = y[where], z[where]
        if y.any():
            p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
            losses.append(-np.sum(y / y.sum() * (z - z.max() - np.log(np.exp(z - z.max()).sum()))))
            gradient[row, where] = p - y / y.sum()
    return np.mean(losses), gradient / len(losses)


@pytest.mark.parametrize("some", [False, True], ids=["all count", "some are ignored"])
def test_softmax_shares_one_among_the_labels(some):
    counted = np.ones(TRUTH.shape, bool)
    if some:
        counted[[0, 3, 4], [1, 1, 1]] = False  # a negative, one of three labels, the only label
    loss, gradient = loss_and_gradient(objectives.Softmax(ignoring=some), np.where(counted, TRUTH, IGNORED))
    expected, slopes = softmax_reference(counted)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_far_outputs_have_finite_losses_and_gradients(name):
    loss, gradient = loss_and_gradient(CELLS[name][0](), outputs=1e4 * np.sign(OUTPUTS))
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_tanh_is_the_sigmoid_of_outputs_twice_as_large():
    tanh, _ = loss_and_gradient(objectives.TanhSquaredError())
    sigmoid_, _ = loss_and_gradient(objectives.SquaredError(), outputs=2 * OUTPUTS)
    np.testing.assert_allclose(tanh, 4 * sigmoid_, rtol=1e-6)


def test_scores_are_probabilities():
    outputs = tf.constant(OUTPUTS, tf.float32)
    np.testing.assert_allclose(objectives.TanhSquaredError().activation(outputs), sigmoid(2 * OUTPUTS), atol=1e-6)
    np.testing.assert_allclose(tf.reduce_sum(objectives.Softmax().activation(outputs), axis=1), 1, rtol=1e-6)


def test_softmax_decides_at_a_probability_of_one_half():
    outputs = tf.constant([[1.0, 0.9, 0.9], [3.0, 0.0, 0.0]])
    assert objectives.Softmax().accuracy(tf.constant([[1.0, 1, 0], [1, 0, 0]]), outputs).numpy() == pytest.approx(4 / 6)


def test_weights_are_balanced_for_each_class():
    labels = (np.random.default_rng(0).random((50, 4)) < [0.1, 0.5, 0.9, 0.3]).astype(np.uint8)
    positive, negative = objectives.balanced_weights(labels)
    for column, y in enumerate(labels.T):
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=y)
        np.testing.assert_allclose([negative[column], positive[column]], expected)


def test_ignored_pairs_and_classes_without_images_do_not_unbalance():
    labels = np.array([[1, 0], [0, 0], [IGNORED, IGNORED], [IGNORED, 0]], np.uint8)
    assert [weights.tolist() for weights in objectives.balanced_weights(labels)] == [[1, 1], [1, 1]]
