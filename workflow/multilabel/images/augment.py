"""Random distortions of training images (Maddox 2017, section 5.1)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from multilabel.images.names import AUGMENTATIONS

if TYPE_CHECKING:
    import tensorflow as tf

SCALE = 0.1
"""How far augmentation goes: shifts and zoom ±10 %, shear ±0.1 radians."""
TURN = np.pi / 18
"""And rotation: ±10 degrees."""


def augment(images: Any, letters: str, seed: Any) -> "tf.Tensor":
    """Random distortions of images, another for each: h and w shift, r rotates, s shears, z zooms, f flips left–right.

    The matrices are those of the paper's Keras of 2017: rotation · shift · shear · zoom, each drawn uniformly, height
    and width zoomed apart; the nearest pixel is taken (spline order 0), beyond the border that of the border; then half
    of the images, on average, are flipped. One thing differs: that Keras turned, sheared and zoomed about a point one
    pixel below and right of the centre, this does so about the centre.

    Args:
        images: N×H×W×3, uint8 or float32.
        letters: some of `hwrszf`; with none the images come back as they are.
        seed: int32 (2,); the same seed gives the same distortions, and no letter changes those of another.

    Returns:
        The images, of the same shape and type.

    Raises:
        ValueError: another letter.
    """
    import tensorflow as tf

    if unknown := sorted(set(letters) - set(AUGMENTATIONS)):
        raise ValueError(f"augmentation {letters!r}: expected letters of {AUGMENTATIONS}, found {', '.join(unknown)}")
    images = tf.convert_to_tensor(images)
    if not letters:
        return images
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    rows, columns = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    draws = tf.unstack(tf.random.stateless_uniform([count, 7], seed, -1.0, 1.0), axis=1)

    def drawn(letter: str, index: int, reach: float) -> tf.Tensor:
        """One number per image in ±reach; 0 where the letter is absent."""
        return reach * draws[index] if letter in letters else tf.zeros([count])

    turn, shear = drawn("r", 0, TURN), drawn("s", 1, SCALE)
    down, right = drawn("h", 2, SCALE) * rows, drawn("w", 3, SCALE) * columns
    zoom_y, zoom_x = 1 + drawn("z", 4, SCALE), 1 + drawn("z", 5, SCALE)
    flip = tf.where(drawn("f", 6, 1.0) < 0, -1.0, 1.0)

    # From a row and column of the result to those of the image, both counted from the centre; xy: how the column of the
    # image depends on the row of the result. A flip of the result mirrors its columns.
    cos, sin = tf.cos(turn), tf.sin(turn)
    yy, yx = cos * zoom_y, (-cos * tf.sin(shear) - sin * tf.cos(shear)) * zoom_x * flip
    xy, xx = sin * zoom_y, (-sin * tf.sin(shear) + cos * tf.cos(shear)) * zoom_x * flip
    centre_y, centre_x = (rows - 1) / 2, (columns - 1) / 2
    offset_y = cos * down - sin * right + centre_y - yy * centre_y - yx * centre_x
    offset_x = sin * down + cos * right + centre_x - xy * centre_y - xx * centre_x
    zero = tf.zeros([count])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([xx, xy, offset_x, yx, yy, offset_y, zero, zero], axis=1),
        output_shape=tf.stack([height, width]),
        interpolation="NEAREST",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
