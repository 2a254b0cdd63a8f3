import io
import warnings

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from multilabel import images
from multilabel.images import ChannelStatistics, DamagedImagesError, ImageError

ORANGE = (200, 100, 40)


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (6, 20, 30, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, noise):
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    return tmp_path


def paths_in(folder):
    return sorted(folder.iterdir())


# Decoding


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", ORANGE, ORANGE),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("LA", (77, 0), (77, 77, 77)),
        ("RGBA", (*ORANGE, 0), ORANGE),
        ("I;16", 77 * 256 + 200, (77, 77, 77)),
        ("P", ORANGE, ORANGE),
    ],
)
def test_every_kind_of_png_becomes_rgb(tmp_path, mode, colour, expected):
    Image.new(mode, (5, 4), colour).save(tmp_path / "image.png")
    assert (images.decode(tmp_path / "image.png", (4, 5)) == expected).all()


def test_palette_with_transparency_becomes_rgb_without_a_warning(tmp_path):
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, *ORANGE])
    image.save(tmp_path / "image.png", transparency=bytes([255, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (images.decode(tmp_path / "image.png", (4, 5)) == ORANGE).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpeg_becomes_rgb(tmp_path, mode):
    Image.new("RGB", (32, 32), ORANGE).convert(mode).save(tmp_path / "image.jpg", quality=95)
    grey = Image.new("RGB", (1, 1), ORANGE).convert("L").getpixel((0, 0))
    found = images.decode(tmp_path / "image.jpg", (8, 8)).astype(int)
    assert np.abs(found - (grey if mode == "L" else ORANGE)).max() <= 4


def test_images_are_resized_to_height_and_width_whatever_their_aspect_ratio(tmp_path):
    Image.fromarray(np.array([[[0, 0, 0], [200, 200, 200]]], np.uint8)).save(tmp_path / "image.bmp")
    found = images.decode(tmp_path / "image.bmp", (3, 4))
    assert found.shape == (3, 4, 3)
    assert found[:, :, 0].tolist() == [[0, 50, 150, 200]] * 3  # bilinear: pixel centres at ¼ and ¾ of the width


def test_the_orientation_noted_by_a_camera_is_not_applied(tmp_path, noise):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.fromarray(noise[0]).save(tmp_path / "image.png", exif=exif)
    assert (images.decode(tmp_path / "image.png", (20, 30)) == noise[0]).all()


def encoded(image_format):
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, image_format)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "empty file"),
        (b"<html>404 Not Found</html>", "not an image"),
        (encoded("JPEG")[:1000], "truncated"),
        (encoded("PNG")[:1000], "truncated"),
        (encoded("BMP")[:1000], "truncated"),
    ],
)
def test_a_damaged_image_is_an_error_with_its_path_and_reason(tmp_path, content, reason):
    path = tmp_path / "image.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=reason) as caught:
        images.decode(path, (8, 8))
    assert caught.value.path == path
    assert str(path) in str(caught.value)


def test_real_photographs_are_decoded(shared_data):
    paths = sorted((shared_data / "voc2007" / "JPEGImages").glob("*.jpg"))
    [(_, pixels)] = images.batches(paths, (32, 32), 64, workers=2)
    assert pixels.shape == (len(paths), 32, 32, 3)
    assert pixels.std(axis=(1, 2, 3)).min() > 10


# Batches


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_in_order_and_the_last_takes_what_is_left(folder, noise, workers):
    found = list(images.batches(paths_in(folder), (20, 30), 4, workers=workers))
    assert [rows.tolist() for rows, _ in found] == [[0, 1, 2, 3], [4, 5]]
    assert (np.concatenate([pixels for _, pixels in found]) == noise).all()


def test_all_damaged_images_are_listed_and_no_batch_follows_the_first(folder):
    paths = paths_in(folder)
    paths[2].write_bytes(b"")
    paths[5].unlink()
    taken = []
    with pytest.raises(DamagedImagesError) as caught:
        taken.extend(rows.tolist() for rows, _ in images.batches(paths, (20, 30), 2, workers=2))
    assert taken == [[0, 1]]
    assert caught.value.problems == [(paths[2], "empty file"), (paths[5], "no such file")]
    assert all(
        text in str(caught.value) for text in ("2 image", f"{paths[2]}: empty file", f"{paths[5]}: no such file")
    )


def test_a_long_list_of_damaged_images_is_cut_in_the_message_only(tmp_path):
    error = DamagedImagesError([(tmp_path / str(index), "empty file") for index in range(1000)])
    assert len(error.problems) == 1000
    assert len(str(error).splitlines()) < 60
    assert "and 950 more" in str(error)


def test_damaged_images_can_be_skipped_and_are_recorded(folder):
    paths, skipped = paths_in(folder), []
    paths[2].write_bytes(b"")
    found = list(images.batches(paths, (20, 30), 4, workers=2, damaged="skip", skipped=skipped))
    assert [rows.tolist() for rows, _ in found] == [[0, 1, 3, 4], [5]]
    assert skipped == [(paths[2], "empty file")]


def test_only_a_bounded_number_of_images_is_decoded_ahead(monkeypatch, tmp_path):
    decoded = []
    monkeypatch.setattr(images, "decode", lambda path, size: decoded.append(path) or np.zeros((*size, 3), np.uint8))
    batches = images.batches([tmp_path] * 1000, (2, 2), 10, workers=2)
    next(batches)
    batches.close()  # waits for what has begun
    assert len(decoded) < 40


# Normalisation

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
    found = images.normalise(PIXELS.astype(dtype), kind, STATISTICS)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found[0, 0], EXPECTED[kind], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", EXPECTED)
def test_normalisation_in_a_compiled_function_gives_the_same_numbers(kind, noise):
    import tensorflow as tf

    compiled = tf.function(lambda pixels: images.normalise(pixels, kind, STATISTICS))
    np.testing.assert_allclose(compiled(tf.constant(noise)), images.normalise(noise, kind, STATISTICS), atol=1e-6)


def test_zmuvs_gives_each_image_mean_zero_and_deviation_one(noise):
    found = images.normalise(noise, "zmuvs").numpy().astype(np.float64)
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=(1, 2, 3)), 1, rtol=1e-6)


@pytest.mark.parametrize("value", [0, 37, 255, np.float32(0.1)])
def test_zmuvs_of_an_image_of_one_value_is_zero(value):
    assert not images.normalise(np.full((2, 224, 224, 3), value), "zmuvs").numpy().any()


def test_zmuv_is_another_name_of_zmuvs(noise):
    assert (images.normalise(noise, "zmuv") == images.normalise(noise, "zmuvs")).numpy().all()


def test_an_unknown_normalisation_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"inet, zmuvs, zmuvf, caffe, torch, found 'imagenet'"):
        images.normalise(PIXELS, "imagenet")


def test_zmuvf_without_statistics_is_an_error():
    with pytest.raises(ValueError, match="zmuvf: expected the channel statistics"):
        images.normalise(PIXELS, "zmuvf")


def test_channel_statistics_equal_numpys_over_all_pixels_however_they_are_batched(noise):
    for size in (1, 4, 6):
        found = images.channel_statistics(noise[start : start + size] for start in range(0, 6, size))
        np.testing.assert_allclose(found.mean, noise.mean(axis=(0, 1, 2)), rtol=1e-12)
        np.testing.assert_allclose(found.std, noise.std(axis=(0, 1, 2)), rtol=1e-12)


def test_zmuvf_of_a_colour_that_never_varies_is_zero():
    pixels = np.full((3, 7, 7, 3), 77, np.uint8)
    assert not images.normalise(pixels, "zmuvf", images.channel_statistics([pixels])).numpy().any()


def test_channel_statistics_of_no_image_are_an_error():
    with pytest.raises(ValueError, match="expected at least one image"):
        images.channel_statistics([])


# Augmentation

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
    found = images.augment(coordinates(count), letters, SEED).numpy()
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
    assert (images.augment(noise, "", SEED).numpy() == noise).all()


def test_an_unknown_letter_is_an_error(noise):
    with pytest.raises(ValueError, match=r"augmentation 'hx': expected letters of hwrszf, found x"):
        images.augment(noise, "hx", SEED)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_augmentation_keeps_shape_and_type(noise, dtype):
    found = images.augment(noise.astype(dtype), "hwrszf", SEED).numpy()
    assert (found.shape, found.dtype) == (noise.shape, dtype)


def test_the_same_seed_gives_the_same_images_compiled_or_not(noise):
    import tensorflow as tf

    compiled = tf.function(lambda pixels, seed: images.augment(pixels, "hwrszf", seed))
    once = images.augment(noise, "hwrszf", SEED).numpy()
    assert (once == images.augment(noise, "hwrszf", SEED).numpy()).all()
    assert (once == compiled(noise, SEED).numpy()).all()


@pytest.mark.parametrize("other", [(3, 6), (4, 5)])
def test_another_seed_gives_other_images(noise, other):
    found = images.augment(noise, "hwrszf", np.array(other, np.int32)).numpy()
    assert (found != images.augment(noise, "hwrszf", SEED).numpy()).any(axis=(1, 2, 3)).all()


def test_an_image_is_distorted_alike_in_a_shorter_batch(noise):
    assert (images.augment(noise[:2], "hwrszf", SEED) == images.augment(noise, "hwrszf", SEED)[:2]).numpy().all()


def test_f_mirrors_the_columns_of_about_half_of_the_images():
    pixels = np.random.default_rng(1).integers(0, 256, (400, 4, 5, 3), dtype=np.uint8)
    found = images.augment(pixels, "f", SEED).numpy()
    mirrored = (found == pixels[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (found == pixels).all(axis=(1, 2, 3))).all()
    assert 160 < mirrored.sum() < 240


@pytest.mark.parametrize(("letter", "axis"), [("h", 0), ("w", 1)])
def test_h_and_w_shift_by_up_to_a_tenth_and_repeat_the_border(letter, axis):
    image = np.random.default_rng(2).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    found = images.augment(np.repeat(image[None], 100, axis=0), letter, SEED).numpy()
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
    found = images.augment(pixels, "hwrszf", SEED).numpy()
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    for image, result, matrix in zip(pixels, found, matrices("hwrszf", 10), strict=True):
        linear, shift = matrix[:2, :2], matrix[:2, 2]
        offset = centre + shift - linear @ centre
        reference = np.stack(
            [ndimage.affine_transform(image[..., c], linear, offset, order=0, mode="nearest") for c in range(3)],
            axis=-1,
        )
        assert (reference != result).any(axis=-1).mean() < 0.02  # the fitted matrix rounds some pixels the other way
