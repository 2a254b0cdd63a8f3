import numpy as np
import pytest

from multilabel.experiments.designs import networks
from multilabel.experiments.designs.networks import Sizes

SMALL = Sizes(input_size=14, filters=(3, 4), hidden=5)


def test_the_layers_are_those_of_the_tutorial():
    model = networks.build(20, Sizes(), seed=0)
    found = [(type(layer).__name__, tuple(layer.output.shape[1:])) for layer in model.layers[1:]]
    assert found == [
        ("Conv2D", (100, 100, 32)), ("ReLU", (100, 100, 32)),
        ("Conv2D", (98, 98, 32)), ("ReLU", (98, 98, 32)), ("MaxPooling2D", (49, 49, 32)), ("Dropout", (49, 49, 32)),
        ("Conv2D", (49, 49, 64)), ("ReLU", (49, 49, 64)),
        ("Conv2D", (47, 47, 64)), ("ReLU", (47, 47, 64)), ("MaxPooling2D", (23, 23, 64)), ("Dropout", (23, 23, 64)),
        ("Flatten", (33856,)),
        ("Dense", (512,)), ("ReLU", (512,)), ("Dropout", (512,)), ("Dense", (20,)),
    ]  # fmt: skip
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.25, 0.25, 0.5]


@pytest.mark.parametrize(("outputs", "expected"), [(1, 17_400_865), (20, 17_410_612), (12, 17_406_508)])
def test_the_parameters_are_as_many_as_counted_by_hand(outputs, expected):
    body = (27 * 32 + 32) + (9 * 32 * 32 + 32) + (9 * 32 * 64 + 64) + (9 * 64 * 64 + 64) + (23 * 23 * 64 * 512 + 512)
    assert body + 512 * outputs + outputs == expected
    assert networks.build(outputs, Sizes(), seed=0).count_params() == expected


def test_sizes_are_free():
    model = networks.build(7, Sizes(input_size=30, filters=(2, 3, 4), hidden=6), seed=0)
    assert model.output_shape == (None, 7)
    assert model.get_layer("hidden").kernel.shape == (2 * 2 * 4, 6)  # 30 → 28 → 14 → 12 → 6 → 4 → 2


def test_images_that_are_too_small_are_an_error():
    assert networks.build(1, Sizes(input_size=10, filters=(2, 2)), seed=0).get_layer("hidden").kernel.shape == (2, 512)
    with pytest.raises(ValueError, match="2 blocks need images of at least 10×10 pixels, found 9"):
        networks.build(1, Sizes(input_size=9, filters=(2, 2)), seed=0)


def test_a_seed_draws_the_weights():
    one, same, other = (networks.build(2, SMALL, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert len({weights.ravel()[0] for weights in one if weights.ndim > 1}) == 6  # another draw for each layer


def test_model_2_has_the_first_networks_convolutions_and_trains_its_own_head():
    first, model = (networks.build(1, SMALL, seed=seed) for seed in (0, 1))
    head = model.get_layer("hidden").get_weights()
    networks.share_convolutions(model, first)
    for own, shared in zip(networks.convolutions(model), networks.convolutions(first), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(own.get_weights(), shared.get_weights(), strict=True))
    assert [variable.path for variable in model.trainable_variables] == [
        "hidden/kernel", "hidden/bias", "logits/kernel", "logits/bias",
    ]  # fmt: skip
    np.testing.assert_array_equal(model.get_layer("hidden").get_weights()[0], head[0])
