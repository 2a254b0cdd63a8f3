"""What there is to count in a dataset's labels.

Apart from the labels themselves, which nearly every job reads: pandas is half a second of a job's start.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from multilabel.datasets.labels import LabelMatrix


def table(matrices: Mapping[str, LabelMatrix]) -> pd.DataFrame:
    """One row per split: images, unlabelled, pairs, cardinality, density, and its most and least frequent class."""
    rows = []
    for split, matrix in matrices.items():
        counts = matrix.labels.sum(axis=0, dtype=np.int64)
        cardinality = float(matrix.labels.sum(axis=1, dtype=np.int64).mean())
        most, least = int(counts.argmax()), int(counts.argmin())
        rows.append(
            {
                "split": split,
                "images": len(matrix),
                "unlabelled": int((~matrix.labels.any(axis=1)).sum()),
                "classes": len(matrix.classes),
                "pairs": int(counts.sum()),
                "label cardinality": cardinality,
                "label density": cardinality / len(matrix.classes),
                "most frequent": f"{matrix.classes[most]} ({counts[most]})",
                "least frequent": f"{matrix.classes[least]} ({counts[least]})",
            }
        )
    return pd.DataFrame(rows)


def images_per_class(matrices: Mapping[str, LabelMatrix]) -> pd.DataFrame:
    """How many images have each class (rows) in each split (columns)."""
    counts = {
        split: pd.Series(matrix.labels.sum(axis=0, dtype=int), matrix.classes) for split, matrix in matrices.items()
    }
    return pd.DataFrame(counts).rename_axis("class")


def labels_per_image(matrices: Mapping[str, LabelMatrix]) -> pd.DataFrame:
    """How many images have 0, 1, 2, … labels (rows) in each split (columns)."""
    sums: dict[str, np.ndarray] = {split: matrix.labels.sum(axis=1, dtype=int) for split, matrix in matrices.items()}
    length = 1 + max(int(values.max(initial=0)) for values in sums.values())
    histogram = {split: np.bincount(values, minlength=length) for split, values in sums.items()}
    return pd.DataFrame(histogram).rename_axis("labels")
