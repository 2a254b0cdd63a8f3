"""Cutout (DeVries and Taylor 2017): a square of each training image is painted over."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf


def cutout(images: Any, share: float, seed: Any) -> "tf.Tensor":
    """Paint a square of one random colour on each image, around a place drawn uniformly and cut off at the border.

    Args:
        images: N×H×W×3 uint8.
        share: side of the square by that of the image; the shorter one of an image that is none itself.
        seed: int32 (2,); the same seed paints the same.

    Returns:
        The images, uint8.
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    drawn = tf.random.stateless_uniform([count, 5], seed)
    side = tf.fill([count], share * tf.cast(tf.minimum(height, width), tf.float32))
    colours = tf.cast(drawn[:, 2:] * 256, tf.uint8)
    return painted(images, drawn[:, :2], side, colours)


def painted(images: Any, places: Any, side: Any, colours: Any) -> "tf.Tensor":
    """Images N×H×W×3, each with a square: its centre (row, column) as shares of the image N×2, side (N,) in pixels."""
    import tensorflow as tf

    height, width = tf.shape(images)[1], tf.shape(images)[2]
    inside = []
    for axis, length in enumerate((height, width)):
        middle = places[:, axis, None] * tf.cast(length, tf.float32)
        distance = tf.abs(tf.range(tf.cast(length, tf.float32)) + 0.5 - middle)
        inside.append(distance < side[:, None] / 2)
    mask = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(mask, colours[:, None, None, :], images)
