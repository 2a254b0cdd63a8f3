import keras
import numpy as np
import pytest
import tensorflow as tf

from multilabel.training.adam import Adam
from multilabel.training.one_cycle import OneCycle

RNG = np.random.default_rng(0)
INITIAL = RNG.normal(size=(4, 3))
GRADIENTS = RNG.normal(size=(40, 4, 3)) * 10.0 ** RNG.integers(-9, 0, (4, 1))


def pytorch(rates, betas_1, decay, beta_2=0.999, epsilon=1e-8):
    """What torch.optim.AdamW does, in its words: decay, moments, bias corrections, step."""
    p, m, v = INITIAL.copy(), 0.0, 0.0
    for step, (g, rate, beta_1) in enumerate(zip(GRADIENTS, rates, betas_1, strict=True), 1):
        p *= 1 - rate * decay
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
        p -= rate / (1 - beta_1**step) * m / (np.sqrt(v) / np.sqrt(1 - beta_2**step) + epsilon)
    return p


def ours(dtype, *arguments, **options):
    variable = keras.Variable(INITIAL.astype(dtype), dtype=dtype)
    optimizer = Adam(*arguments, **options)
    optimizer.build([variable])

    @tf.function
    def take(gradient):
        optimizer.apply([gradient], [variable])

    for gradient in GRADIENTS:
        take(tf.constant(gradient, dtype))
    return variable.numpy()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_weights_are_those_of_pytorch(dtype, tolerance, decay):
    expected = pytorch([0.01] * 40, [0.9] * 40, decay)
    np.testing.assert_allclose(ours(dtype, 0.01, decay=decay), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_one_cycle_changes_rate_and_beta_with_every_step(dtype, tolerance):
    cycle = OneCycle(0.02, 40)
    steps = tf.range(40, dtype=tf.float64)
    expected = pytorch(cycle.learning_rate(steps).numpy(), cycle.beta_1(steps).numpy(), 0.01)
    found = ours(dtype, cycle.learning_rate, beta_1=cycle.beta_1, decay=0.01)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_variables_by_rows_need_what_their_moves_follow_from():
    with pytest.raises(ValueError, match="without decay"):
        Adam(0.1, decay=0.01).by_rows([keras.Variable(INITIAL)], 1.0)
    with pytest.raises(ValueError, match=r"one number of rows, found \(4, 3\), \(5, 3\)"):
        Adam(0.1).by_rows([keras.Variable(np.zeros((rows, 3))) for rows in (4, 5)], 1.0)
