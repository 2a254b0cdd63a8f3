"""Random distortions of training images, as Keras made them."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from multilabel.images.names import AUGMENTATIONS

if TYPE_CHECKING:
    import tensorflow as tf


class Reach(NamedTuple):
    """How far augmentation goes: shift and zoom as shares, shear and turn in radians; and how pixels are found.

    The defaults are those of Maddox (2017, section 5.1): shifts and zoom ±10 %, shear ±0.1 radians, rotation ±10
    degrees, and the nearest pixel (spline order 0). Later versions of Keras take shear in degrees, and interpolate:
    BILINEAR.
    """

    shift: float = 0.1
    zoom: float = 0.1
    shear: float = 0.1
    turn: float = np.pi / 18
    interpolation: str = "NEAREST"


MADDOX = Reach()


def augment(images: Any, letters: str, seed: Any, reach: Reach = MADDOX) -> "tf.Tensor":
    """Random distortions of images, another for each: h and w shift, r rotates, s shears, z zooms, f flips left–right.

    The matrices are those of Keras: rotation · shift · shear · zoom, each drawn uniformly, height and width zoomed
    apart; beyond the border, the pixel of the border is taken; then half of the images, on average, are flipped. One
    thing differs: Keras turned, sheared and zoomed about a point one pixel below and right of the centre, this does so
    about the centre.

    Args:
        images: N×H×W×3, uint8 or float32.
        letters: some of `hwrszf`; with none the images come back as they are.
        seed: int32 (2,); the same seed gives the same distortions, and no letter changes those of another.
        reach: how far they go.

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

    def drawn(letter: str, index: int, most: float) -> tf.Tensor:
        """One number per image in ±most; 0 where the letter is absent."""
        return most * draws[index] if letter in letters else tf.zeros([count])

    turn, shear = drawn("r", 0, reach.turn), drawn("s", 1, reach.shear)
    down, right = drawn("h", 2, reach.shift) * rows, drawn("w", 3, reach.shift) * columns
    zoom_y, zoom_x = 1 + drawn("z", 4, reach.zoom), 1 + drawn("z", 5, reach.zoom)
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
        interpolation=reach.interpolation,
        fill_mode="NEAREST",
        fill_value=0.0,
    )
