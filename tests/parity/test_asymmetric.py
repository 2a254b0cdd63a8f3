"""Asymmetric loss, against the code of Ridnik et al. as Query2Label uses it."""

import numpy as np
import pytest
import tensorflow as tf

from multilabel.training.asymmetric import AsymmetricLoss


def computed(logits, targets, configuration, epsilon, kind, weight, dtype):
    """Value and gradient of the loss."""
    loss = AsymmetricLoss(*configuration, epsilon=epsilon, detached=weight == "detached", plain=kind == "plain")
    outputs = tf.constant(logits, dtype)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = loss(tf.constant(targets, dtype), outputs, tf.range(len(logits)))
    return float(value), tape.gradient(value, outputs).numpy()


@pytest.mark.parametrize("case", ["normal", "extreme"])
@pytest.mark.parametrize("kind", ["optimized", "plain"])
@pytest.mark.parametrize("weight", ["detached", "full"])
def test_values_and_gradients(arrays, case, kind, weight):
    given = arrays("asl")
    inputs = given[f"{case}/logits"], given[f"{case}/targets"]
    for number, configuration in enumerate(given["configurations"].tolist()):
        expected = {what: given[f"{case}/{number}/{kind}/{weight}/{what}"] for what in ("value", "grad")}
        options = (*inputs, configuration, float(given["eps"]), kind, weight)
        value, gradient = computed(*options, tf.float64)
        assert value == pytest.approx(expected["value"], rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(gradient, expected["grad"], rtol=1e-9, atol=1e-9)
        value, gradient = computed(*options, tf.float32)
        assert value == pytest.approx(expected["value"], rel=1e-5)
        np.testing.assert_allclose(gradient, expected["grad"], rtol=1e-5, atol=1e-5 * np.abs(expected["grad"]).max())
