"""RandAugment (Cubuk et al. 2020) with the fifteen operations and magnitudes of its first package for PyTorch.

They are Pillow's operations, for many images at once: what changes each grey level alone is one look-up in a table,
what moves pixels one projective transform. Only images that drew an operation pay for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from multilabel.images.cutout import painted

if TYPE_CHECKING:
    import tensorflow as tf

OPERATIONS = (
    *("invert", "cutout", "sharpness", "autocontrast", "posterize", "shear_x", "shear_y", "translate_x"),
    *("translate_y", "rotate", "equalize", "contrast", "colour", "solarize", "brightness"),
)
LEVELS = 9
"""Magnitudes go from 1 to this; the ones below belong to the highest."""
SHEAR, SHIFT, TURN = 0.3, 150 / 331, np.pi / 6
"""Pixels by pixels; share of the side; radians."""
ENHANCED, CUT, BITS, SOLARIZED = 0.9, 20.0, 4.0, 256.0
"""Distance of a factor from 1; pixels; bits that go; grey levels that are inverted."""
GREY = 128
"""What takes the place of pixels from beyond the border."""
_LUMA = (19595, 38470, 7471)
"""Pillow's weights of red, green and blue, in 2⁻¹⁶."""


def rand_augment(images: Any, seed: Any, *, rounds: int = 2) -> "tf.Tensor":
    """Distort each image by random operations of random magnitude, each with a probability of one half.

    Args:
        images: N×H×W×3 uint8.
        seed: int32 (2,); the same seed distorts the same way.
        rounds: operations that are drawn for each image.

    Returns:
        The images, uint8.
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    for number in range(rounds):
        drawn = tf.random.stateless_uniform(
            [tf.shape(images)[0], 6], tf.random.experimental.stateless_fold_in(seed, number)
        )
        operation = tf.cast(drawn[:, 0] * len(OPERATIONS), tf.int32)
        operation = tf.where(drawn[:, 1] < 0.5, operation, -1)
        level = 1 + tf.floor(drawn[:, 2] * LEVELS)
        images = distorted(images, operation, level, tf.where(drawn[:, 3] < 0.5, -1.0, 1.0), drawn[:, 4:])
    return images


def distorted(images: Any, operation: Any, level: Any, sign: Any, places: Any) -> "tf.Tensor":
    """Images after one operation each.

    Args:
        images: N×H×W×3 uint8.
        operation: (N,) int32, positions in OPERATIONS; −1: none.
        level: (N,) float32, 1 to LEVELS.
        sign: (N,) float32, −1 or 1: to which side an image is sheared or shifted, and whether an enhancement is more.
        places: N×2 float32, the centre of what `cutout` paints, as shares of height and width.
    """
    import tensorflow as tf

    strength = level / LEVELS
    factor = 1 + sign * ENHANCED * strength

    def among(*names: str) -> tf.Tensor:
        return tf.reduce_any(operation[:, None] == [OPERATIONS.index(name) for name in names], axis=1)

    def on(images: tf.Tensor, chosen: tf.Tensor, function: Callable[..., tf.Tensor], *values: tf.Tensor) -> tf.Tensor:
        rows = tf.where(chosen)[:, 0]
        changed = function(tf.gather(images, rows), *(tf.gather(value, rows) for value in values))
        return tf.tensor_scatter_nd_update(images, rows[:, None], changed)

    levels = ("invert", "autocontrast", "posterize", "equalize", "contrast", "solarize", "brightness")
    moves = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
    images = on(images, among(*levels), _looked_up, operation, strength, factor)
    images = on(images, among("colour"), _coloured, factor)
    images = on(images, among("sharpness"), _sharpened, factor)
    images = on(images, among(*moves), _moved, operation, strength, sign)
    return on(images, among("cutout"), _cut, places, strength)


def _looked_up(images: "tf.Tensor", operation: "tf.Tensor", strength: "tf.Tensor", factor: "tf.Tensor") -> "tf.Tensor":
    """What gives each grey level of a colour another one, by tables N×3×256."""
    import tensorflow as tf

    by_colour = tf.reshape(
        tf.transpose(tf.cast(images, tf.int32), (0, 3, 1, 2)), (-1, tf.shape(images)[1] * tf.shape(images)[2])
    )
    with tf.device("CPU"):  # counting is not deterministic elsewhere
        counts = tf.math.bincount(by_colour, minlength=256, maxlength=256, axis=-1)
    counts = tf.reshape(counts, (-1, 3, 256))
    value = tf.range(256.0)[None, None]
    strength, factor = strength[:, None, None], factor[:, None, None]
    step = tf.round(2 ** tf.round(BITS * strength))
    tables = {
        "invert": 255 - value,
        "posterize": tf.floor(value / step) * step,
        "solarize": tf.where(value < SOLARIZED * (1 - strength), value, 255 - value),
        "brightness": _blended(0.0, value, factor),
        "contrast": _blended(_mean_grey(images), value, factor),
        "autocontrast": _stretched(counts, value),
        "equalize": _equalized(counts, value),
    }
    table = tf.broadcast_to(value, tf.shape(counts))
    for name, found in tables.items():
        table = tf.where(operation[:, None, None] == OPERATIONS.index(name), found, table)
    flat = tf.reshape(by_colour, (-1, 3, tf.shape(by_colour)[1]))
    looked_up = tf.gather(tf.cast(table, tf.uint8), flat, batch_dims=2)
    return tf.reshape(tf.transpose(looked_up, (0, 2, 1)), tf.shape(images))


def _stretched(counts: "tf.Tensor", value: "tf.Tensor") -> "tf.Tensor":
    """Autocontrast: the darkest level of a colour becomes 0, the brightest 255."""
    import tensorflow as tf

    there = counts > 0
    low = tf.reduce_min(tf.where(there, value, 255.0), -1, keepdims=True)
    high = tf.reduce_max(tf.where(there, value, 0.0), -1, keepdims=True)
    scale = 255 / tf.maximum(tf.cast(high - low, tf.float64), 1)
    found = tf.cast(
        tf.clip_by_value(tf.cast(value, tf.float64) * scale - tf.cast(low, tf.float64) * scale, 0, 255), tf.float32
    )
    return tf.where(high > low, tf.floor(found), value)


def _equalized(counts: "tf.Tensor", value: "tf.Tensor") -> "tf.Tensor":
    """Equalize: levels of a colour become as frequent as each other."""
    import tensorflow as tf

    last = tf.reduce_max(tf.where(counts > 0, tf.range(256), 0), -1, keepdims=True)
    step = (tf.reduce_sum(counts, -1, keepdims=True) - tf.gather(counts, last, batch_dims=2)) // 255
    below = step // 2 + tf.cumsum(counts, -1, exclusive=True)
    found = tf.minimum(below // tf.maximum(step, 1), 255)
    return tf.where(step > 0, tf.cast(found, tf.float32), value)


def _coloured(images: "tf.Tensor", factor: "tf.Tensor") -> "tf.Tensor":
    """Less or more of the colours: between the grey image and the image, or beyond it."""
    import tensorflow as tf

    grey = tf.cast(_grey(images)[..., None], tf.float32)
    return tf.cast(_blended(grey, tf.cast(images, tf.float32), factor[:, None, None, None]), tf.uint8)


def _sharpened(images: "tf.Tensor", factor: "tf.Tensor") -> "tf.Tensor":
    """Between the smoothed image and the image, or beyond it; the outermost pixels stay."""
    import tensorflow as tf

    x = tf.cast(images, tf.float32)
    columns = x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]
    around = columns[:, :-2] + columns[:, 1:-1] + columns[:, 2:]
    smooth = tf.floor((around + 4 * x[:, 1:-1, 1:-1]) / 13 + 0.5)
    inner = tf.pad(tf.ones_like(smooth, bool), [[0, 0], [1, 1], [1, 1], [0, 0]])
    degenerate = tf.where(inner, tf.pad(smooth, [[0, 0], [1, 1], [1, 1], [0, 0]]), x)
    return tf.cast(_blended(degenerate, x, factor[:, None, None, None]), tf.uint8)


def _moved(images: "tf.Tensor", operation: "tf.Tensor", strength: "tf.Tensor", sign: "tf.Tensor") -> "tf.Tensor":
    """Shears about a corner, shifts, and turns about the centre; bilinear, grey beyond the border."""
    import tensorflow as tf

    rows, columns = (tf.cast(tf.shape(images)[axis], tf.float32) for axis in (1, 2))
    zero, one = tf.zeros_like(strength), tf.ones_like(strength)

    def where(name: str, found: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
        return tf.where(operation == OPERATIONS.index(name), found, otherwise)

    sine, cosine = tf.sin(TURN * strength), tf.cos(TURN * strength)
    shear = SHEAR * strength * sign
    xx = yy = where("rotate", cosine, one)
    xy, yx = where("shear_x", shear, where("rotate", -sine, zero)), where("shear_y", shear, where("rotate", sine, zero))
    middle_x, middle_y = (columns - 1) / 2, (rows - 1) / 2
    # Pixels lie half a pixel from the corner about which an image is sheared.
    x = where("shear_x", shear / 2, where("translate_x", SHIFT * strength * sign * columns, zero))
    y = where("shear_y", shear / 2, where("translate_y", SHIFT * strength * sign * rows, zero))
    x = where("rotate", middle_x - xx * middle_x - xy * middle_y, x)
    y = where("rotate", middle_y - yx * middle_x - yy * middle_y, y)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=tf.stack([xx, xy, x, yx, yy, y, zero, zero], axis=1),
        output_shape=tf.shape(images)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=float(GREY),
    )
    return tf.cast(tf.round(moved), tf.uint8)


def _cut(images: "tf.Tensor", places: "tf.Tensor", strength: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    colours = tf.fill((tf.shape(images)[0], 3), tf.constant(GREY, tf.uint8))
    return painted(images, places, tf.round(CUT * strength), colours)


def _blended(degenerate: Any, x: "tf.Tensor", factor: "tf.Tensor") -> "tf.Tensor":
    """Pillow's blend of two images: whole grey levels, cut off."""
    import tensorflow as tf

    return tf.floor(tf.clip_by_value(degenerate + factor * (x - degenerate), 0, 255))


def _grey(images: "tf.Tensor") -> "tf.Tensor":
    """The brightness of each pixel, N×H×W int32, as Pillow rounds it."""
    import tensorflow as tf

    return (tf.reduce_sum(tf.cast(images, tf.int32) * list(_LUMA), -1) + 0x8000) // 0x10000


def _mean_grey(images: "tf.Tensor") -> "tf.Tensor":
    """The mean brightness of each image, whole numbers N×1×1."""
    import tensorflow as tf

    mean = tf.reduce_mean(tf.cast(_grey(images), tf.float64), axis=(1, 2), keepdims=True)
    return tf.cast(tf.floor(mean + 0.5), tf.float32)
