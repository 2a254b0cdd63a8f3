import numpy as np
import pytest

from multilabel.images.normalise import ChannelStatistics, channel_statistics, normalise

PIXELS = np.array([[[[0, 51, 255], [102, 204, 0]]]], np.uint8)  # one image of two pixels
STATISTICS = ChannelStatistics((51.0, 100.0, 0.0), (51.0, 2.0, 0.0))
EXPECTED = {
    "inet": [[-1, -0.6, 1], [-0.2, 0.6, -1]],
    # mean 102; variance (102² + 51² + 153² + 0 + 102² + 102²) / 6 = 9537
    "zmuvs": (np.array([[-102, -51, 153], [0, 102, -102]]) / np.sqrt(9537)).tolist(),
    "zmuvf": [[-1, -24.5, 0], [1, 52, 0]],
    "caffe": [[255 - 103.939, 51 - 116.779, -123.68], [-103.939, 204 - 116.779, 102 - 123.68]],
    "torch": [
        [-0.485 / 0.229, (0.2 - 0.456) / 0.224, (1 - 0.406) / 0.225],
        [(0.4 - 0.485) / 0.229, (0.8 - 0.456) / 0.224, -0.406 / 0.225],
    ],
}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("kind", EXPECTED)
def test_normalised_values_equal_those_computed_by_hand(kind, dtype):
    found = normalise(PIXELS.astype(dtype), kind, STATISTICS)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found[0, 0], EXPECTED[kind], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", EXPECTED)
def test_normalisation_in_a_compiled_function_gives_the_same_numbers(kind, noise):
    import tensorflow as tf

    compiled = tf.function(lambda pixels: normalise(pixels, kind, STATISTICS))
    np.testing.assert_allclose(compiled(tf.constant(noise)), normalise(noise, kind, STATISTICS), atol=1e-6)


def test_zmuvs_gives_each_image_mean_zero_and_deviation_one(noise):
    found = normalise(noise, "zmuvs").numpy().astype(np.float64)
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=(1, 2, 3)), 1, rtol=1e-6)


@pytest.mark.parametrize("value", [0, 37, 255, np.float32(0.1)])
def test_zmuvs_of_an_image_of_one_value_is_zero(value):
    assert not normalise(np.full((2, 224, 224, 3), value), "zmuvs").numpy().any()


def test_zmuv_is_another_name_of_zmuvs(noise):
    assert (normalise(noise, "zmuv") == normalise(noise, "zmuvs")).numpy().all()


def test_an_unknown_normalisation_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"inet, zmuvs, zmuvf, caffe, torch, found 'imagenet'"):
        normalise(PIXELS, "imagenet")


def test_zmuvf_without_statistics_is_an_error():
    with pytest.raises(ValueError, match="zmuvf: expected the channel statistics"):
        normalise(PIXELS, "zmuvf")


def test_channel_statistics_equal_numpys_over_all_pixels_however_they_are_batched(noise):
    for size in (1, 4, 6):
        found = channel_statistics(noise[start : start + size] for start in range(0, 6, size))
        np.testing.assert_allclose(found.mean, noise.mean(axis=(0, 1, 2)), rtol=1e-12)
        np.testing.assert_allclose(found.std, noise.std(axis=(0, 1, 2)), rtol=1e-12)


def test_zmuvf_of_a_colour_that_never_varies_is_zero():
    pixels = np.full((3, 7, 7, 3), 77, np.uint8)
    assert not normalise(pixels, "zmuvf", channel_statistics([pixels])).numpy().any()


def test_channel_statistics_of_no_image_are_an_error():
    with pytest.raises(ValueError, match="expected at least one image"):
        channel_statistics([])
