import keras
import numpy as np
import pytest

from multilabel.networks import cvt, folding, pytorch, resnet

NETWORKS = {
    "resnet18": lambda: resnet.build("resnet18", input_size=64, frozen=True),
    "resnet50": lambda: resnet.build("resnet50", input_size=32),
    "cvt": lambda: cvt.build(input_size=64, widths=(8, 16, 24), depths=(1, 1, 2)),
    "MobileNet of Keras": lambda: keras.applications.MobileNet(
        weights=None, include_top=False, alpha=0.25, input_shape=(64, 64, 3)
    ),
}


def with_statistics(network):
    """Batch normalisation as after training: other than that of the start."""
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.moving_mean.shape
            layer.set_weights(
                [1 + 0.1 * rng.standard_normal(shape), *0.1 * rng.standard_normal((2, *shape)), 0.5 + rng.random(shape)]
            )
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_computes_the_same_without_batch_normalisation(name):
    network = with_statistics(NETWORKS[name]())
    folded = folding.fold(network)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    images = np.random.default_rng(1).standard_normal((2, *network.input_shape[1:])).astype(np.float32)
    wanted = np.asarray(network(images, training=False))
    np.testing.assert_allclose(folded(images), wanted, atol=1e-5 * max(1, np.abs(wanted).max()))


def test_the_network_itself_is_left_as_it_was():
    network = with_statistics(NETWORKS["resnet18"]())
    before = pytorch.state(network)
    folding.fold(network)
    after = pytorch.state(network)
    assert list(before) == list(after)
    assert all((before[key] == after[key]).all() for key in before)


def test_normalisation_of_a_map_that_others_see_too_stays():
    images = keras.Input((8, 8, 3))
    seen = keras.layers.Conv2D(4, 3, name="conv")(images)
    both = keras.layers.Add()([keras.layers.BatchNormalization()(seen), seen])
    network = keras.Model(images, both)
    folded = folding.fold(network)
    assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    x = np.ones((1, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(folded(x), network(x))


def test_an_activation_between_convolution_and_normalisation_stays():
    images = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, activation="relu")(images))
    assert len(folding.fold(keras.Model(images, x)).layers) == 3
