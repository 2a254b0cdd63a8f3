"""Images of a split with their labels, as training and predictions of the three designs take them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorflow as tf

from multilabel.datasets.labels import LabelMatrix
from multilabel.images.augment import Reach, augment
from multilabel.training import image_files
from multilabel.training.image_files import ImageFiles
from multilabel.training.sources import InMemory
from multilabel.training.steps import Prepare


@dataclass(frozen=True)
class Split:
    """The images of a split: decoded in memory, or files that are decoded in each epoch where they are too many.

    `samples` gives the row of each image in `labels` as its y.
    """

    labels: LabelMatrix
    samples: InMemory | ImageFiles

    @property
    def targets(self) -> np.ndarray:
        """What a network is to give for the images that can be had, N×L."""
        return self.labels.targets[self.rows]

    @property
    def rows(self) -> np.ndarray:
        """The rows of `labels` whose images can be had; of files that are not decoded yet, all."""
        rows = getattr(self.samples, "rows", None)
        return np.arange(len(self.labels)) if rows is None else rows

    def source(self, *, seed: int, label: int | None = None) -> InMemory | ImageFiles:
        """The images as a source whose y are their labels, N×L, or one of them, N×1; `seed` orders its epochs."""
        columns = slice(None) if label is None else slice(label, label + 1)
        targets = self.labels.targets[:, columns]
        if isinstance(self.samples, ImageFiles):
            return replace(self.samples, labels=targets, seed=seed)
        return replace(self.samples, y=tf.constant(targets[self.rows]), seed=seed)


def load(
    label_file: str | Path, folder: str | Path, size: int, *, memory_gb: float, reading: Mapping[str, Any]
) -> Split:
    """The images that a label file names, resized to size×size.

    Args:
        label_file: the labels of the split.
        folder: where its images lie.
        size: height and width.
        memory_gb: up to which the decoded images are kept in memory.
        reading: how images are read: workers, damaged.

    Raises:
        DamagedImagesError: images are damaged or missing, and `damaged` is "stop".
    """
    labels = LabelMatrix.load(label_file)
    paths, rows = [Path(folder, name) for name in labels.file_name], np.arange(len(labels))
    samples = image_files.source(paths, rows, (size, size), seed=0, memory_gb=memory_gb, reading=reading)
    return Split(labels, cast(InMemory | ImageFiles, samples))


def preparation(augmentation: Mapping[str, Any] | None = None) -> Prepare:
    """What happens to images inside a step: distortions, then pixels from 0 to 1.

    The tutorial's Keras read shear in degrees and interpolated between pixels. It also resized by the nearest pixel,
    where this project takes Pillow's bilinear, and it drew the distortions of an image from a stream.

    Args:
        augmentation: `shear` in degrees, `zoom` as a share, and whether to `flip`; None: no distortion.
    """
    if augmentation:
        shear, zoom = np.deg2rad(augmentation["shear"]), augmentation["zoom"]
        reach = Reach(shear=shear, zoom=zoom, interpolation="BILINEAR")
        letters = "".join(
            letter for letter, wanted in (("s", shear), ("z", zoom), ("f", augmentation["flip"])) if wanted
        )

    def prepare(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(pixels, tf.float32)
        return (augment(pixels, letters, seed, reach) if augmentation else pixels) / 255

    return prepare
