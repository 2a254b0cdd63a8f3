import numpy as np
import pytest
import tensorflow as tf

from multilabel.experiments.designs import inference, networks
from multilabel.experiments.designs.networks import Sizes

SIZES = {"small": Sizes(input_size=20, filters=(3, 5), hidden=7), "tutorial": Sizes()}


def several(count, sizes, *, shared):
    models = [networks.build(1, sizes, seed=seed) for seed in range(count)]
    rng = np.random.default_rng(0)
    for model in models:  # biases as trained ones have, too
        model.set_weights([weight + 0.05 * rng.normal(size=weight.shape) for weight in model.get_weights()])
    return [models[0], *(networks.share_convolutions(model, models[0]) for model in models[1:])] if shared else models


@pytest.mark.parametrize("shared", [False, True], ids=["Model 1", "Model 2"])
@pytest.mark.parametrize(("sizes", "count"), [("small", 12), ("tutorial", 3)])
def test_one_call_gives_the_scores_of_the_single_calls(sizes, count, shared):
    models = several(count, SIZES[sizes], shared=shared)
    images = np.random.default_rng(1).random((4, *models[0].input_shape[1:]), np.float32)
    expected = np.concatenate([tf.sigmoid(model(images)).numpy() for model in models], axis=1)
    found = tf.sigmoid(inference.in_one_call(models)(images)).numpy()
    assert found.shape == (4, count)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(tf.sigmoid(inference.one_after_the_other(models)(images)), expected, atol=1e-6)


def test_one_network_alone_is_a_case_like_others():
    models = several(1, SIZES["small"], shared=True)
    images = np.random.default_rng(1).random((2, 20, 20, 3), np.float32)
    np.testing.assert_allclose(inference.in_one_call(models)(images), models[0](images), atol=1e-6)


def test_convolutions_are_shared_where_every_bit_is_equal():
    models = several(3, SIZES["small"], shared=True)
    assert inference.shares_convolutions(models)
    layer = networks.convolutions(models[2])[1]
    kernel, bias = layer.get_weights()
    kernel[0, 0, 0, 0] = np.nextafter(kernel[0, 0, 0, 0], np.float32(9))
    layer.set_weights([kernel, bias])
    assert not inference.shares_convolutions(models)
