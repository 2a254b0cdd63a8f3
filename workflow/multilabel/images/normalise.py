"""Pixel values as networks take them, and the statistics of the training images that one of the ways needs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from multilabel.images.names import ALIASES, PREPROCESSES

if TYPE_CHECKING:
    import tensorflow as tf

CAFFE_MEAN = (103.939, 116.779, 123.68)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ChannelStatistics(NamedTuple):
    """Mean and standard deviation of each colour, three numbers each, for `zmuvf`."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def normalise(images: Any, kind: str, statistics: ChannelStatistics | None = None) -> "tf.Tensor":
    """Pixel values 0…255, N×H×W×3 of any type, as a network takes them: float32, in a graph or not.

    `inet`: x/127.5 − 1. `zmuvs`: each image minus its mean, divided by its standard deviation, over all pixels and
    colours. `zmuvf`: each colour minus its mean over the training images, divided by its standard deviation. `caffe`:
    BGR minus ImageNet's means. `torch`: x/255 minus ImageNet's means, divided by its deviations. What does not vary, an
    image with `zmuvs` or a colour with `zmuvf`, becomes 0. (Maddox 2017, section 4.1, for the first three.)

    >>> normalise(np.array([[[[0, 0, 0], [255, 255, 255]]]]), "inet").numpy().ravel().tolist()
    [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]

    Raises:
        ValueError: another kind, or `zmuvf` without statistics.
    """
    import tensorflow as tf

    x = tf.cast(images, tf.float32)
    kind = ALIASES.get(kind, kind)
    if kind == "inet":
        return x / 127.5 - 1.0
    if kind == "zmuvs":
        x -= x[:, :1, :1, :1]  # exactly 0 where nothing varies; the float32 mean of equal values can differ from them
        x -= tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
        return tf.math.divide_no_nan(x, tf.sqrt(tf.reduce_mean(tf.square(x), axis=[1, 2, 3], keepdims=True)))
    if kind == "caffe":
        return x[..., ::-1] - tf.constant(CAFFE_MEAN)
    if kind == "torch":
        return (x / 255.0 - tf.constant(IMAGENET_MEAN)) / tf.constant(IMAGENET_STD)
    if kind == "zmuvf" and statistics:
        return tf.math.divide_no_nan(x - tf.constant(statistics.mean), tf.constant(statistics.std))
    if kind == "zmuvf":
        raise ValueError("normalisation zmuvf: expected the channel statistics of the training images, found none")
    raise ValueError(f"normalisation: expected one of {', '.join(PREPROCESSES)}, found {kind!r}")


def channel_statistics(batches_: Iterable[np.ndarray]) -> ChannelStatistics:
    """Mean and standard deviation of each colour over all pixels of all images, N×H×W×3 uint8 at a time.

    Every value is counted, so that the sums are exact whatever the number of images and the size of the batches.

    Raises:
        ValueError: there is no image.
    """
    counts = np.zeros((3, 256), np.int64)
    for batch in batches_:
        counts += [np.bincount(batch[..., colour].ravel(), minlength=256) for colour in range(3)]
    pixels = counts[0].sum()
    if not pixels:
        raise ValueError("channel statistics: expected at least one image, found none")
    values = np.arange(256)
    mean = counts @ values / pixels
    variance = (counts * (values - mean[:, None]) ** 2).sum(axis=1) / pixels
    return ChannelStatistics(tuple(mean.tolist()), tuple(np.sqrt(variance).tolist()))
