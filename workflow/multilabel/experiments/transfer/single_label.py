"""What a network trained on one label per image says of images with several: the question of section 2.1, paper 000."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel.datasets.labels import LabelMatrix
from multilabel.images.normalise import normalise
from multilabel.training import loop
from multilabel.training.image_files import ImageFiles

IMAGENET = Path(__file__).with_name("imagenet_to_coco.csv")


def counterparts(classes: Sequence[str], path: str | Path = IMAGENET) -> dict[str, list[int]]:
    """Which outputs of ImageNet's classifier are kinds of each class; classes without any are left out.

    >>> counterparts(["apple", "giraffe"])
    {'apple': [948]}
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    found = {name: [int(row["index"]) for row in rows if row["class"] == name] for name in classes}
    return {name: indices for name, indices in found.items() if indices}


def predict(
    classifier: keras.Model,
    labels: LabelMatrix,
    folder: str | Path,
    outputs: Mapping[str, Sequence[int]],
    *,
    preprocess: str,
    reading: Mapping[str, Any],
    batch_size: int = 32,
) -> tuple[np.ndarray, np.ndarray]:
    """Image ids (N,) and scores float32 N×L: the probabilities of all outputs that are kinds of a class, added.

    Args:
        classifier: normalised images N×H×W×3 → logits or probabilities N×C over classes that exclude each other.
        labels: names the images and the classes; a class without outputs has the score 0.
        folder: where the images lie.
        outputs: class → its outputs, see `counterparts`.
        preprocess: the normalisation that the classifier was trained with.
        reading: how images are read: workers, damaged, orient.
        batch_size: images per forward pass.
    """
    kinds = np.zeros((classifier.output_shape[-1], len(labels.classes)), np.float32)
    for name, indices in outputs.items():
        kinds[list(indices), labels.classes.index(name)] = 1
    last = classifier.layers[-1]
    probable = getattr(last, "activation", None) is keras.activations.softmax

    def decide(output: tf.Tensor) -> tf.Tensor:
        return tf.matmul(output if probable else tf.nn.softmax(output), kinds)

    paths = [Path(folder) / name for name in labels.file_name]
    source = ImageFiles(paths, np.arange(len(paths)), classifier.input_shape[1:3], 0, **reading)
    score = loop.scorer(
        classifier, batch_size=batch_size, prepare=lambda pixels, _: normalise(pixels, preprocess), activation=decide
    )
    kept, scores = score(source)
    return labels.image_id[kept], scores
