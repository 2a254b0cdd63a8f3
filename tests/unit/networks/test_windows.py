"""Swin and CvT beyond what the numbers of the official code show: training, and sizes that do not fit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from multilabel.networks import cvt, pytorch, swin

SWIN = {"input_size": 32, "embed": 8, "depths": (2, 1), "heads": (1, 2), "window": 4}
CVT = {"input_size": 32, "widths": (8, 16, 24), "depths": (1, 1, 2)}


@pytest.mark.parametrize("build", [lambda: swin.build(**SWIN, drop=0.5), lambda: cvt.build(**CVT, drop=0.5)])
def test_every_trained_variable_has_a_gradient_and_training_leaves_branches_out(build):
    keras.utils.set_random_seed(0)
    network = build()
    images = tf.random.stateless_normal((4, 32, 32, 3), (1, 2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(images, training=True) ** 2)
    gradients = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
    assert all(gradient is not None for gradient in gradients)
    assert not np.allclose(network(images, training=True), network(images, training=True))
    np.testing.assert_array_equal(network(images, training=False), network(images, training=False))


def test_the_map_has_the_channels_of_the_last_stage():
    assert swin.build(**SWIN).output_shape == (None, 4, 4, 16)
    assert cvt.build(**CVT).output_shape == (None, 2, 2, 24)


def test_a_shift_never_lets_places_see_each_other_that_are_no_neighbours():
    mask = swin.shift_mask(8, 4, 2)
    assert mask.shape == (4, 16, 16)
    assert (mask[0] == 0).all()  # within the image, away from its lower and right border
    assert mask[3, 0, 15] == swin.MASKED
    assert (mask[:, range(16), range(16)] == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 40}, "stage 0 of 10 tokens has no windows of 4"),
        ({"input_size": 34}, "stage 0 of 8 tokens has no windows of 4"),
        ({"input_size": 12, "window": 3}, "stage 0 of 3 tokens cannot be halved"),
    ],
)
def test_images_that_swin_cannot_divide_are_an_error(options, message):
    with pytest.raises(ValueError, match=f"images of {options['input_size']} pixels: {message}"):
        swin.build(**{**SWIN, **options})


def test_networks_are_recognised_by_their_shapes():
    shapes = {key: shape for key, (shape, _) in pytorch.shapes(swin.build(**SWIN)).items()}
    assert swin.recognise(shapes) == {key: SWIN[key] for key in SWIN if key != "input_size"} | {"patch": 4, "hidden": 4}
    assert cvt.recognise(shapes) is None
    shapes = {key: shape for key, (shape, _) in pytorch.shapes(cvt.build(**CVT)).items()}
    assert cvt.recognise(shapes) == {"widths": (8, 16, 24), "depths": (1, 1, 2), "hidden": 4}
    assert swin.recognise(shapes) is None
