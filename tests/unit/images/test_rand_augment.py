"""Each operation beside Pillow's own."""

import math

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from multilabel.images.rand_augment import LEVELS, OPERATIONS, distorted, rand_augment

SEED = np.array([3, 5], np.int32)
SIZE = (40, 50)


@pytest.fixture(scope="module")
def photos():
    """Smooth images, of which some have few grey levels."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    rng = np.random.default_rng(0)
    images = []
    for _ in range(4):
        a, b, c = rng.uniform(1, 4, (3, 3))
        waves = np.sin(a * y[..., None] / 9 + b) + np.cos(c * x[..., None] / 9)
        images.append((128 + 50 * waves).clip(0, 255).astype(np.uint8))
    images.append(np.full((*SIZE, 3), 90, np.uint8))
    return np.stack(images)


def apply(images, name, levels, signs, place=(0.5, 0.5)):
    operation = np.full(len(images), OPERATIONS.index(name), np.int32)
    return distorted(
        images, operation, np.float32(levels), np.float32(signs), np.tile(np.float32(place), (len(images), 1))
    ).numpy()


def pillow(name, image, level, sign):
    """What Pillow makes of an image."""
    share, width, height = level / LEVELS, image.width, image.height
    if name in ("sharpness", "contrast", "colour", "brightness"):
        kind = getattr(ImageEnhance, {"colour": "Color"}.get(name, name.capitalize()))
        return kind(image).enhance(float(np.float32(1 + sign * 0.9 * share)))
    moves = {
        "shear_x": (1, sign * 0.3 * share, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, sign * 0.3 * share, 1, 0),
        "translate_x": (1, 0, sign * share * 150 / 331 * width, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, sign * share * 150 / 331 * height),
    }
    grey, bilinear = (128, 128, 128), Image.Resampling.BILINEAR
    if name in moves:
        return image.transform(image.size, Image.Transform.AFFINE, moves[name], bilinear, fillcolor=grey)
    return {
        "invert": lambda: ImageOps.invert(image),
        "autocontrast": lambda: ImageOps.autocontrast(image),
        "equalize": lambda: ImageOps.equalize(image),
        "posterize": lambda: ImageOps.posterize(image, int(np.round(8 - 4 * share))),
        "solarize": lambda: ImageOps.solarize(image, 256 - 256 * share),
        "rotate": lambda: image.rotate(30 * share, bilinear, fillcolor=grey),
    }[name]()


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "cutout"])
def test_operations_are_those_of_pillow(photos, name):
    cases = [(level, sign) for level in (1, 4, 9) for sign in (1.0, -1.0)]
    levels, signs = np.repeat(np.array(cases).T, len(photos), axis=1)
    images = np.tile(photos, (len(cases), 1, 1, 1))
    found = apply(images, name, levels, signs).astype(int)
    arguments = zip(images, levels, signs, strict=True)
    wanted = [np.asarray(pillow(name, Image.fromarray(image), level, sign)) for image, level, sign in arguments]
    difference = np.abs(found - np.stack(wanted))
    if name in (
        "shear_x",
        "shear_y",
        "translate_x",
        "translate_y",
        "rotate",
    ):  # at the border of what is moved others count
        assert (difference <= 1).mean() > 0.9
        assert np.median(difference) == 0
    else:
        assert difference.max() <= (1 if name in ("sharpness", "contrast", "colour", "brightness") else 0)


def test_a_cut_is_grey_and_lies_where_it_is_asked_for(photos):
    one = np.ones(len(photos))
    found = apply(photos, "cutout", LEVELS * one, one, place=(0.25, 1.0))
    changed = (
        np.flatnonzero((found[0] != photos[0]).any(axis=(1, 2))),
        np.flatnonzero((found[0] != photos[0]).any(axis=(0, 2))),
    )
    assert (changed[0].min(), changed[0].max()) == (0, 19)
    assert (changed[1].min(), changed[1].max()) == (40, 49)
    assert (found[0][:20, 40:] == 128).all()


def test_images_without_an_operation_stay(photos):
    none = np.full(len(photos), -1, np.int32)
    one = np.ones(len(photos), np.float32)
    assert (distorted(photos, none, one, one, np.ones((len(photos), 2), np.float32)).numpy() == photos).all()


def test_the_same_seed_distorts_the_same_way(photos):
    first, again = (rand_augment(photos, SEED).numpy() for _ in range(2))
    assert (first == again).all()
    assert (first != rand_augment(photos, SEED + 1).numpy()).any()


def test_a_quarter_of_the_images_draw_nothing_and_every_operation_is_drawn():
    """Rounds that both leave an image alone have a probability of one quarter."""
    rng = np.random.default_rng(0)
    images = np.repeat(rng.integers(0, 256, (1, 8, 8, 3), dtype=np.uint8), 1000, axis=0)
    found = rand_augment(images, SEED).numpy()
    kept = (found == images).all(axis=(1, 2, 3)).mean()
    assert kept == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 1000) + 0.05)  # an operation may change nothing
    once = rand_augment(images, SEED, rounds=1).numpy()
    assert len(np.unique(once.reshape(1000, -1), axis=0)) > len(OPERATIONS) * 2
