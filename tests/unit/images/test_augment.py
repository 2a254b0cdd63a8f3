import numpy as np
import pytest
from scipy import ndimage

from multilabel.images.augment import augment

SEED = np.array([3, 5], np.int32)
HEIGHT, WIDTH = 120, 100


def coordinates(count):
    """Images that hold the row and the column of each pixel."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.repeat(np.stack([rows, columns, rows], axis=-1)[None], count, axis=0).astype(np.float32)


def matrices(letters, count):
    """The affine maps, 3×3, from rows and columns of results to those of images, counted from the centre.

    They are fitted to where the pixels of each result come from, border pixels left out.
    """
    found = augment(coordinates(count), letters, SEED).numpy()
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    targets = np.stack([rows - centre[0], columns - centre[1], np.ones_like(rows)], axis=-1)
    fitted = []
    for image in found:
        inside = (image[..., 0] % (HEIGHT - 1) > 0) & (image[..., 1] % (WIDTH - 1) > 0)
        solution = np.linalg.lstsq(targets[inside], image[inside][:, :2] - centre, rcond=None)[0]
        fitted.append(np.vstack([solution.T, [0, 0, 1]]))
    return np.array(fitted)


def test_no_letters_leave_the_images_as_they_are(noise):
    assert (augment(noise, "", SEED).numpy() == noise).all()


def test_an_unknown_letter_is_an_error(noise):
    with pytest.raises(ValueError, match=r"augmentation 'hx': expected letters of hwrszf, found x"):
        augment(noise, "hx", SEED)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_augmentation_keeps_shape_and_type(noise, dtype):
    found = augment(noise.astype(dtype), "hwrszf", SEED).numpy()
    assert (found.shape, found.dtype) == (noise.shape, dtype)


def test_the_same_seed_gives_the_same_images_compiled_or_not(noise):
    import tensorflow as tf

    compiled = tf.function(lambda pixels, seed: augment(pixels, "hwrszf", seed))
    once = augment(noise, "hwrszf", SEED).numpy()
    assert (once == augment(noise, "hwrszf", SEED).numpy()).all()
    assert (once == compiled(noise, SEED).numpy()).all()


@pytest.mark.parametrize("other", [(3, 6), (4, 5)])
def test_another_seed_gives_other_images(noise, other):
    found = augment(noise, "hwrszf", np.array(other, np.int32)).numpy()
    assert (found != augment(noise, "hwrszf", SEED).numpy()).any(axis=(1, 2, 3)).all()


def test_an_image_is_distorted_alike_in_a_shorter_batch(noise):
    assert (augment(noise[:2], "hwrszf", SEED) == augment(noise, "hwrszf", SEED)[:2]).numpy().all()


def test_f_mirrors_the_columns_of_about_half_of_the_images():
    pixels = np.random.default_rng(1).integers(0, 256, (400, 4, 5, 3), dtype=np.uint8)
    found = augment(pixels, "f", SEED).numpy()
    mirrored = (found == pixels[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (found == pixels).all(axis=(1, 2, 3))).all()
    assert 160 < mirrored.sum() < 240


@pytest.mark.parametrize(("letter", "axis"), [("h", 0), ("w", 1)])
def test_h_and_w_shift_by_up_to_a_tenth_and_repeat_the_border(letter, axis):
    image = np.random.default_rng(2).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    found = augment(np.repeat(image[None], 100, axis=0), letter, SEED).numpy()
    shifted = [image.take(np.clip(np.arange(50) + shift, 0, 49), axis) for shift in range(-5, 6)]
    shifts = [[(result == candidate).all() for candidate in shifted].index(True) - 5 for result in found]
    assert len(set(shifts)) >= 9


def test_r_turns_by_up_to_ten_degrees_about_the_centre():
    found = matrices("r", 50)
    angles = np.degrees(np.arctan2(found[:, 1, 0], found[:, 0, 0]))
    np.testing.assert_allclose(
        found[:, :2, :2] @ found[:, :2, :2].transpose(0, 2, 1), np.eye(2)[None].repeat(50, 0), atol=0.01
    )
    np.testing.assert_allclose(found[:, :2, 2], 0, atol=0.1)
    assert 8 < angles.max() < 10.1
    assert -10.1 < angles.min() < -8


def test_s_shears_by_up_to_a_tenth_of_a_radian_as_keras_did():
    found = matrices("s", 50)
    shear = np.arcsin(-found[:, 0, 1])
    np.testing.assert_allclose(found[:, :, 0], [[1, 0, 0]] * 50, atol=0.01)
    np.testing.assert_allclose(found[:, 1, 1], np.cos(shear), atol=0.01)
    assert 0.08 < shear.max() < 0.101
    assert -0.101 < shear.min() < -0.08


def test_z_zooms_height_and_width_apart_by_up_to_a_tenth():
    found = matrices("z", 50)
    zooms = found[:, [0, 1], [0, 1]]
    assert 0.899 < zooms.min() < 0.92
    assert 1.08 < zooms.max() < 1.101
    assert abs(np.corrcoef(zooms.T)[0, 1]) < 0.5


def test_all_letters_are_rotation_shift_shear_zoom_and_flip_in_this_order():
    single = {letter: matrices(letter, 10) for letter in "hwrszf"}
    expected = single["r"] @ single["h"] @ single["w"] @ single["s"] @ single["z"] @ single["f"]
    np.testing.assert_allclose(matrices("hwrszf", 10)[:, :2, :2], expected[:, :2, :2], atol=0.01)
    np.testing.assert_allclose(matrices("hwrszf", 10)[:, :2, 2], expected[:, :2, 2], atol=0.5)


def test_augmentation_equals_scipys_affine_transform_of_order_0():
    pixels = np.random.default_rng(4).integers(0, 256, (10, HEIGHT, WIDTH, 3), dtype=np.uint8)
    found = augment(pixels, "hwrszf", SEED).numpy()
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    for image, result, matrix in zip(pixels, found, matrices("hwrszf", 10), strict=True):
        linear, shift = matrix[:2, :2], matrix[:2, 2]
        offset = centre + shift - linear @ centre
        reference = np.stack(
            [ndimage.affine_transform(image[..., c], linear, offset, order=0, mode="nearest") for c in range(3)],
            axis=-1,
        )
        assert (reference != result).any(axis=-1).mean() < 0.02  # the fitted matrix rounds some pixels the other way
