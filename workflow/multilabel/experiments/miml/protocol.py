"""Random splits of a small dataset, and linear classifiers on features of all layers (Dong et al. 2015).

The paper's protocol: 30 times, two thirds of the images train one binary logistic regression per label, and five
metrics are taken on the rest. Its Fig. 3 repeats that with fewer training images and the same test images.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import metrics
from multilabel.features import files as features_
from multilabel.training import linear

CLASSIFIERS: Mapping[str, linear.Penalty] = {"VGG+L1LR": "l1", "VGG+LR": "l2"}
METRICS: Mapping[str, tuple[Callable[..., float], str]] = {
    "average precision": (metrics.image_average_precision, "↑"),
    "coverage": (metrics.coverage, "↓"),
    "Hamming loss": (lambda truth, scores: metrics.hamming_loss(truth, scores > 0), "↓"),
    "one error": (metrics.one_error, "↓"),
    "ranking loss": (metrics.ranking_loss, "↓"),
}
"""The five metrics of the paper's Table 1, of truth and decision values, and whether high or low values are good."""


class Samples(NamedTuple):
    """Features N×D with labels N×L of the same images, and the columns (start, end) that each block of layers has."""

    x: NDArray[np.float64]
    truth: NDArray[np.uint8]
    classes: tuple[str, ...]
    blocks: Mapping[str, tuple[int, int]]


def load(feature_file: str | Path, label_file: str | Path) -> Samples:
    """Features of all blocks, as `backbones.with_blocks` gives them, with the labels of their images.

    Raises:
        ValueError: the files do not fit together, or a class has too few images for a split to train and test on it;
            the message names files or classes.
    """
    image_id, x = features_.load(feature_file)
    labels = LabelMatrix.load(label_file)
    truth = labels.labels[labels.rows_of(image_id, name=str(label_file), other=str(feature_file))]
    rare = [
        f"{name} ({count})" for name, count in zip(labels.classes, truth.sum(axis=0).tolist(), strict=True) if count < 2
    ]
    if rare:
        raise ValueError(
            f"{label_file}: expected at least 2 images of each class, one to train and one to test on; "
            f"found fewer of {', '.join(rare)}"
        )
    return Samples(x.astype(np.float64), truth, labels.classes, blocks_of(feature_file))


def blocks_of(feature_file: str | Path) -> dict[str, tuple[int, int]]:
    """The columns (start, end) of each block in a feature file."""
    with h5py.File(feature_file, "r", locking=False) as file:
        blocks = json.loads(file.attrs["provenance"])["blocks"]
    return {name: (start, end) for name, (start, end) in sorted(blocks.items(), key=lambda block: block[1])}


def split_rows(count: int, share: float, *, seed: int, number: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Training and test rows of a random split of `count` images: a function of seed and number of the split alone.

    >>> [len(rows) for rows in split_rows(591, 2 / 3, seed=0, number=7)]
    [394, 197]
    """
    order = np.random.default_rng([seed, number]).permutation(count)
    training = round(share * count)
    return order[:training], order[training:]


def evaluate(
    samples: Samples,
    numbers: Iterable[int],
    *,
    share: float,
    sizes: Sequence[int],
    c: float,
    solver: linear.Solver,
    seed: int,
    report: Callable[[str], None] = print,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test both classifiers on some of the random splits.

    Args:
        samples: of the whole dataset.
        numbers: which splits.
        share: of the images that train.
        sizes: fewer training images, for Fig. 3; those that the share does not reach are left out.
        c: liblinear's cost; the paper's λ = 1 is its default of 1.
        solver: see `linear.fit`.
        seed: of all splits.
        report: takes a line per split.

    Returns:
        The scores: split, classifier, images (that trained), and a column per metric; and the chosen features: split,
        classifier, class, block, and how many features of the block have a weight other than 0.
    """
    scores: list[dict[str, Any]] = []
    chosen: list[dict[str, Any]] = []
    for number in numbers:
        train, test = split_rows(len(samples.x), share, seed=seed, number=number)
        for classifier, penalty in CLASSIFIERS.items():
            for size in [*(size for size in sizes if size < len(train)), len(train)]:
                rows = train[:size]
                model = linear.fit(samples.x[rows], samples.truth[rows], penalty=penalty, c=c, solver=solver)
                values = linear.scores(model, samples.x[test])
                found = {name: metric(samples.truth[test], values) for name, (metric, _) in METRICS.items()}
                scores.append({"split": number, "classifier": classifier, "images": size, **found})
            chosen += [
                {
                    "split": number,
                    "classifier": classifier,
                    "class": name,
                    "block": block,
                    "features": np.count_nonzero(model.weights[slice(*span), label]),
                }
                for label, name in enumerate(samples.classes)
                for block, span in samples.blocks.items()
            ]
        last = {row["classifier"]: row["average precision"] for row in scores if row["split"] == number}
        report(f"split {number}: " + ", ".join(f"average precision {last[name]:.3f} ({name})" for name in last))
    return pd.DataFrame(scores), pd.DataFrame(chosen)
