import keras
import numpy as np
import pytest

from multilabel.training.average import MovingAverage


@pytest.fixture
def weights():
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    return layer.variables


def values(variables):
    return [variable.numpy() for variable in variables]


def test_it_follows_all_weights_from_where_they_start(weights):
    expected, average = values(weights), MovingAverage(weights, 0.9)
    rng = np.random.default_rng(0)
    for _ in range(5):
        for index, weight in enumerate(weights):
            weight.assign(rng.normal(size=3))
            expected[index] = 0.9 * expected[index] + 0.1 * weight.numpy()
        average.update()
    np.testing.assert_allclose(values(average.variables), expected, rtol=1e-6)


def test_exchanged_twice_all_is_as_it_was(weights):
    average = MovingAverage(weights, 0.9)
    weights[0].assign([5.0, 6.0, 7.0])
    before = [values(weights), values(average.variables)]
    average.exchange()
    np.testing.assert_array_equal([values(average.variables), values(weights)], before)
    average.exchange()
    np.testing.assert_array_equal([values(weights), values(average.variables)], before)


def test_a_decay_outside_its_range_is_named(weights):
    with pytest.raises(ValueError, match=r"less than 1, found 1\.5"):
        MovingAverage(weights, 1.5)
