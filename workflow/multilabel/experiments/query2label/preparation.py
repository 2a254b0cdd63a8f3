"""What happens to images inside a step: distortion of those that train, then normalisation."""

import tensorflow as tf

from multilabel.images.cutout import cutout
from multilabel.images.normalise import normalise
from multilabel.images.rand_augment import rand_augment
from multilabel.training.steps import Prepare

UNIT = "unit"
"""The normalisation of some released checkpoints: x / 255, which is theirs alone."""


def normalised(pixels: tf.Tensor, preprocess: str) -> tf.Tensor:
    """Images, uint8 N×H×W×3, as the network takes them: by `unit` or by a normalisation of `images.normalise`."""
    return tf.cast(pixels, tf.float32) / 255 if preprocess == UNIT else normalise(pixels, preprocess)


def preparation(preprocess: str, *, augment: bool = False, cut: float = 0.0) -> Prepare:
    """Cutout, then RandAugment, then normalisation, in the published order; the first two where they are asked for.

    Args:
        preprocess: see `normalised`.
        augment: whether RandAugment distorts.
        cut: share of the side that cutout paints over; 0: none.
    """

    def prepare(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        if cut:
            pixels = cutout(pixels, cut, tf.random.experimental.stateless_fold_in(seed, 1000))
        if augment:
            pixels = rand_augment(pixels, seed)
        return normalised(pixels, preprocess)

    return prepare
