import h5py
import numpy as np
import pytest

from multilabel.datasets import shapes
from multilabel.images.normalise import normalise
from multilabel.networks import backbones, pretraining

BASE = {"network": "VGG16", "width": 1 / 16, "input_size": 32}


@pytest.fixture(scope="module")
def single_objects(tmp_path_factory):
    path = tmp_path_factory.mktemp("objects") / "objects.h5"
    shapes.write_single_objects(path, images=60, size=32, seed=0)
    return path


def train(single_objects, weights):
    whole = weights.with_name(f"whole_{weights.name}")
    pretraining.train(single_objects, weights, whole, base=BASE, epochs=2, batch_size=20, learning_rate=1e-3, seed=0)
    return weights


@pytest.fixture(scope="module")
def weights(single_objects):
    return train(single_objects, single_objects.with_name("one.weights.h5"))


def average_features(network, single_objects):
    with h5py.File(single_objects) as file:
        pixels = file["images"][()]
    return network(normalise(pixels, pretraining.PREPROCESS)).numpy().mean(axis=(1, 2))


def test_the_weights_load_as_those_of_any_base_network(weights):
    found = backbones.build(**BASE, weights=weights, seed=0).get_weights()
    start = backbones.build(**BASE, seed=0).get_weights()
    assert all(np.isfinite(after).all() and (after != before).any() for after, before in zip(found, start, strict=True))


def test_features_come_at_unit_scale(weights, single_objects):
    found = average_features(backbones.build(**BASE, weights=weights), single_objects)
    assert found.std() == pytest.approx(1, rel=1e-3)


def test_the_same_seed_gives_the_same_weights(weights, single_objects, tmp_path):
    again = train(single_objects, tmp_path / "again.weights.h5")
    np.testing.assert_allclose(kernel(again), kernel(weights), atol=1e-4)


def kernel(weights):
    """The filters of the first layer, whose values are of the order of 1."""
    return backbones.build(**BASE, weights=weights).get_weights()[0]


@pytest.mark.parametrize("factor", [0.1, 7.0])
def test_scaling_multiplies_features_and_changes_nothing_else(single_objects, factor):
    network = backbones.build(**BASE, seed=3)
    for layer in network.layers:
        if layer.weights:  # biases other than the zeros of the start
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, bias + 0.05])
    before = average_features(network, single_objects)
    pretraining.scale(network, factor)
    np.testing.assert_allclose(average_features(network, single_objects), factor * before, rtol=1e-3, atol=1e-6)
