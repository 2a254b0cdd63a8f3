"""Which region a label looked at, of images and of labels that they have."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.datasets.masks import Masks
from multilabel.experiments.query2label import model, transformer
from multilabel.experiments.query2label.looks import Looks
from multilabel.experiments.query2label.preparation import normalised
from multilabel.training.image_files import ImageFiles


def look(
    path: str | Path, labels: LabelMatrix, folder: str | Path, *, reading: Mapping[str, Any], batch_size: int
) -> Iterable[Looks]:
    """What a model file says of images, and where each label looked, some images at a time.

    Args:
        path: the model file, of a transformer.
        labels: the images.
        folder: where they lie.
        reading: how images are read: workers, damaged, orient.
        batch_size: images per forward pass.
    """
    file = export.load(path)
    looking = transformer.with_attention(model.of_file(file))

    @tf.function(reduce_retracing=True, autograph=False)
    def scores_and_maps(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits, maps = looking(normalised(pixels, file.preprocess), training=False)
        return tf.sigmoid(logits), maps

    paths = [Path(folder, name) for name in labels.file_name]
    source = ImageFiles(paths, np.arange(len(labels)), file.size, 0, **reading)
    for pixels, rows, _, _ in source.chunks(None, batch_size):
        for start in range(0, len(rows), batch_size):
            found = scores_and_maps(tf.constant(pixels[start : start + batch_size]))
            kept = labels.image_id[rows[start : start + batch_size]]
            yield Looks(kept, *(part.numpy().astype(np.float32) for part in found))


def inside(looks: Iterable[Looks], labels: LabelMatrix, masks: Masks) -> pd.DataFrame:
    """How much of a label's attention falls on its own objects, over all pairs of an image and a label that it has.

    Returns:
        One row per class and layer (from 1), then one per layer for all classes: class, layer, pairs, attention, the
        mean share of the attention that falls inside the label's masks, area, the mean share of the image that these
        cover, and ratio, the first by the second.
    """
    rows = []
    for image_id, _, maps in looks:
        grid = maps.shape[-2:]
        for image, of_image in zip(image_id.tolist(), maps, strict=True):
            for column, share in masks.shares(image, grid).items():
                for layer, of_layer in enumerate(of_image, start=1):
                    rows.append((column, layer, float((of_layer[column] * share).sum()), float(share.mean())))
    found = pd.DataFrame(rows, columns=["column", "layer", "attention", "area"])
    parts = [(name, found[found["column"] == column]) for column, name in enumerate(labels.classes)]
    table = []
    for name, part in [*parts, ("all", found)]:
        for number, of_layer in part.groupby("layer"):
            attention, area = of_layer["attention"].mean(), of_layer["area"].mean()
            ratio = attention / area if area else np.nan
            table.append((name, number, len(of_layer), attention, area, ratio))
    return pd.DataFrame(table, columns=["class", "layer", "pairs", "attention", "area", "ratio"])


def rows_in_order(labels: LabelMatrix, image_ids: Sequence[int]) -> LabelMatrix:
    """The images of some ids, in that order."""
    return labels.subset(labels.rows_of(np.asarray(image_ids), name="labels", other="query2label.examples"))
