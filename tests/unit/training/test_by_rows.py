import keras
import numpy as np
import pytest
import tensorflow as tf

from multilabel.training.adam import Adam

ROWS, LABELS, BATCH = 60, 3, 4


def orders(steps):
    """The rows of each step: without an end, each row once in 15 steps."""
    rng = np.random.default_rng(0)
    epochs = [rng.permutation(ROWS).reshape(-1, BATCH) for _ in range(-(-steps // (ROWS // BATCH)))]
    return np.concatenate(epochs)[:steps]


def gradient(rows, step):
    """Numbers whose size differs from row to row by powers of ten, down to epsilon's; of each step others."""
    return np.cos(step + np.arange(LABELS) + rows[:, np.newaxis]) * 10.0 ** -(rows % 12)[:, np.newaxis]


def dense(initial, steps, rate, beta_1, beta_2, epsilon=1e-8):
    """Adam on the whole variable, float64."""
    values, m, v = initial.astype(float), np.zeros(initial.shape), np.zeros(initial.shape)
    for step, rows in enumerate(orders(steps), 1):
        g = np.zeros(initial.shape)
        g[rows] = gradient(rows, step)
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
        values -= rate(step - 1) * m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    return values


def by_rows(initial, steps, rate, beta_1, beta_2):
    """The same by rows, in the type of `initial`."""
    variable = keras.Variable(initial, dtype=initial.dtype)
    optimizer = Adam(rate, beta_1=beta_1, beta_2=beta_2)
    optimizer.build([])
    parts = optimizer.by_rows([variable], 10.0)

    @tf.function
    def take(rows, gradients):
        parts.catch_up(rows)
        parts.apply([tf.IndexedSlices(gradients, rows)], rows)
        optimizer.iterations.assign_add(1)

    for step, rows in enumerate(orders(steps), 1):
        take(tf.constant(rows), tf.constant(gradient(rows, step).astype(initial.dtype)))
    parts.settle()
    return variable.numpy()


def falling(taken):
    return 0.01 * 0.99**taken


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.9, 0.99), (0.95, 0.999)])
def test_rows_are_where_adam_on_the_whole_variable_puts_them(betas):
    initial = np.random.default_rng(1).normal(size=(ROWS, LABELS))
    expected = dense(initial, 300, lambda taken: 10 * falling(taken), *betas)
    np.testing.assert_allclose(by_rows(initial, 300, falling, *betas), expected, rtol=0, atol=1e-7)


def test_the_moves_of_a_long_wait_are_the_whole_sum():
    initial = np.zeros((ROWS, LABELS), np.float32)
    found, expected = by_rows(initial, 3, 0.01, 0.9, 0.999), dense(initial, 3, lambda taken: 0.1, 0.9, 0.999)
    np.testing.assert_allclose(found, expected, atol=1e-6)
