"""Three epochs of training with single positive labels, against the code of Cole et al.: through the whole loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ordered import LAST, Ordered

from multilabel.training import loop
from multilabel.training.adam import Adam
from multilabel.training.objectives import BinaryCrossEntropy, Objective
from multilabel.training.schedule import Schedule
from multilabel.training.sources import InMemory


def nl(probability):
    return -tf.math.log(probability + 1e-5)


class Loss(Objective):
    """The three losses, as the fixtures' page defines them."""

    learning_rate_factor = 10.0

    def __init__(self, name, positives, estimator):
        self.name, self.positives = name, positives
        self.estimator = keras.Variable(estimator, trainable=True)
        self.variables = [self.estimator] if name == "role" else []

    def regulariser(self, p):
        return (tf.reduce_mean(tf.reduce_sum(p, 1)) - self.positives) ** 2 / p.shape[1] ** 2

    def __call__(self, truth, outputs, rows):
        p = tf.sigmoid(outputs)
        if self.name == "an":
            return tf.reduce_mean(truth * nl(p) + (1 - truth) * nl(1 - p))
        if self.name == "epr":
            return tf.reduce_mean(truth * nl(p)) + self.regulariser(p)
        e = tf.sigmoid(tf.gather(self.estimator.value, rows))
        fixed_p, fixed_e = tf.stop_gradient(p), tf.stop_gradient(e)
        cells = truth * (nl(p) + nl(e)) + fixed_e * nl(p) + (1 - fixed_e) * nl(1 - p)
        cells += fixed_p * nl(e) + (1 - fixed_p) * nl(1 - e)
        return (tf.reduce_mean(cells) + self.regulariser(p) + self.regulariser(e)) / 2


@pytest.mark.parametrize("name", ["an", "epr", "role"])
def test_weights_estimator_and_losses_are_those_of_the_published_code(arrays, tmp_path, name):
    given = arrays("spml_trace")
    features, observed, order = given["features"], given["observed"], given["order"]
    initial = {what: given[f"{name}/initial_{what}"] for what in ("weight", "bias", "estimator_logits")}
    model = keras.Sequential([keras.Input((features.shape[1],)), keras.layers.Dense(observed.shape[1])])
    model.set_weights([initial["weight"].T, initial["bias"]])
    objective = Loss(name, float(given["expected_positives"]), initial["estimator_logits"])
    history = loop.fit(
        model,
        objective,
        Adam(float(given["lr"])),
        Ordered(features, observed, order),
        InMemory(features, given["labels"], 0),
        Schedule(len(order), None, 0.0, LAST),
        batch_size=int(given["batch_size"]),
        seed=0,
        folder=tmp_path,
        key="k",
        validation_objective=BinaryCrossEntropy(),
        drop_last=True,
        report=lambda line: None,
    ).history
    final = {what: given[f"{name}/float64/final_{what}"] for what in initial}
    weight, bias = model.get_weights()
    np.testing.assert_allclose(weight.T, final["weight"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(bias, final["bias"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(objective.estimator.numpy(), final["estimator_logits"], rtol=0, atol=1e-3)
    losses = given[f"{name}/float64/step_losses"].mean(axis=1)
    assert [row["loss"] for row in history] == pytest.approx(losses, rel=1e-6)
