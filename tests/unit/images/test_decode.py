import io
import warnings

import numpy as np
import pytest
from PIL import ExifTags, Image

from multilabel.images import decode
from multilabel.images.decode import DamagedImagesError, ImageError

ORANGE = (200, 100, 40)


@pytest.fixture
def folder(tmp_path, noise):
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    return tmp_path


def paths_in(folder):
    return sorted(folder.iterdir())


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
    assert (decode.decode(tmp_path / "image.png", (4, 5)) == expected).all()


def test_palette_with_transparency_becomes_rgb_without_a_warning(tmp_path):
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, *ORANGE])
    image.save(tmp_path / "image.png", transparency=bytes([255, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (decode.decode(tmp_path / "image.png", (4, 5)) == ORANGE).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpeg_becomes_rgb(tmp_path, mode):
    Image.new("RGB", (32, 32), ORANGE).convert(mode).save(tmp_path / "image.jpg", quality=95)
    grey = Image.new("RGB", (1, 1), ORANGE).convert("L").getpixel((0, 0))
    found = decode.decode(tmp_path / "image.jpg", (8, 8)).astype(int)
    assert np.abs(found - (grey if mode == "L" else ORANGE)).max() <= 4


UPRIGHT = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10
# EXIF 2.32, 4.6.5.A: where row 0 and column 0 of what is stored are to be seen.
STORED = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.transpose(1, 0, 2),
    6: np.rot90(UPRIGHT),
    7: np.rot90(UPRIGHT, 2).transpose(1, 0, 2),
    8: np.rot90(UPRIGHT, -1),
}


def noting(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_an_image_is_turned_as_its_exif_says(tmp_path, orientation, suffix):
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(np.ascontiguousarray(STORED[orientation])).save(path, exif=noting(orientation))
    assert (decode.decode(path, (2, 3)) == UPRIGHT).all()


def test_a_published_dataset_is_read_as_it_is_stored(tmp_path):
    Image.fromarray(np.ascontiguousarray(STORED[6])).save(tmp_path / "image.png", exif=noting(6))
    assert (decode.decode(tmp_path / "image.png", (3, 2), orient=False) == STORED[6]).all()
    [(_, pixels)] = decode.batches([tmp_path / "image.png"], (3, 2), 1, workers=1, orient=False)
    assert (pixels[0] == STORED[6]).all()


@pytest.mark.parametrize("exif", [b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00nothing"])
def test_damaged_exif_says_nothing(tmp_path, exif):
    Image.new("RGB", (8, 8), ORANGE).save(tmp_path / "image.jpg", exif=exif)
    assert decode.decode(tmp_path / "image.jpg", (8, 8)).shape == (8, 8, 3)


def test_a_jpeg_of_more_than_179_megapixels_is_read_at_a_fraction(tmp_path):
    image = Image.new("L", (16_000, 11_300), 50)
    image.paste(200, (0, 0, 8_000, 11_300))
    image.save(tmp_path / "large.jpg", quality=50)
    pixels = decode.decode(tmp_path / "large.jpg", (32, 32))
    assert set(pixels[:, :15].ravel().tolist()) == {200}
    assert set(pixels[:, 17:].ravel().tolist()) == {50}


def test_another_image_as_large_is_said_to_be_too_large_and_not_damaged(tmp_path):
    Image.new("1", (16_000, 11_300)).save(tmp_path / "large.png", compress_level=1)
    with pytest.raises(ImageError, match=r"large.png: 16,000 × 11,300 pixels; above .* only a JPEG .* smaller"):
        decode.decode(tmp_path / "large.png", (32, 32))


def test_images_are_resized_to_height_and_width_whatever_their_aspect_ratio(tmp_path):
    Image.fromarray(np.array([[[0, 0, 0], [200, 200, 200]]], np.uint8)).save(tmp_path / "image.bmp")
    found = decode.decode(tmp_path / "image.bmp", (3, 4))
    assert found.shape == (3, 4, 3)
    assert found[:, :, 0].tolist() == [[0, 50, 150, 200]] * 3  # bilinear: pixel centres at ¼ and ¾ of the width


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
        decode.decode(path, (8, 8))
    assert caught.value.path == path
    assert str(path) in str(caught.value)


def test_real_photographs_are_decoded(shared_data):
    paths = sorted((shared_data / "voc2007" / "JPEGImages").glob("*.jpg"))
    [(_, pixels)] = decode.batches(paths, (32, 32), 64, workers=2)
    assert pixels.shape == (len(paths), 32, 32, 3)
    assert pixels.std(axis=(1, 2, 3)).min() > 10


# Batches


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_in_order_and_the_last_takes_what_is_left(folder, noise, workers):
    found = list(decode.batches(paths_in(folder), (20, 30), 4, workers=workers))
    assert [rows.tolist() for rows, _ in found] == [[0, 1, 2, 3], [4, 5]]
    assert (np.concatenate([pixels for _, pixels in found]) == noise).all()


def test_all_damaged_images_are_listed_and_no_batch_follows_the_first(folder):
    paths = paths_in(folder)
    paths[2].write_bytes(b"")
    paths[5].unlink()
    taken = []
    with pytest.raises(DamagedImagesError) as caught:
        taken.extend(rows.tolist() for rows, _ in decode.batches(paths, (20, 30), 2, workers=2))
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
    found = list(decode.batches(paths, (20, 30), 4, workers=2, damaged="skip", skipped=skipped))
    assert [rows.tolist() for rows, _ in found] == [[0, 1, 3, 4], [5]]
    assert skipped == [(paths[2], "empty file")]


def test_only_a_bounded_number_of_images_is_decoded_ahead(monkeypatch, tmp_path):
    decoded = []
    monkeypatch.setattr(
        decode, "decode", lambda path, size, orient: decoded.append(path) or np.zeros((*size, 3), np.uint8)
    )
    batches = decode.batches([tmp_path] * 1000, (2, 2), 10, workers=2)
    next(batches)
    batches.close()  # waits for what has begun
    assert len(decoded) < 40
