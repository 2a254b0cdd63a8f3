"""Random splits of a small dataset, and linear classifiers on features of all layers (Dong et al. 2015).

The paper's protocol: 30 times, two thirds of the images train one binary logistic regression per label, and five
metrics are taken on the rest. Its Fig. 3 repeats that with fewer training images and the same test images.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from multilabel.datasets.labels import LabelMatrix
from multilabel.features import files as features_
from multilabel.files import complete_or_absent
from multilabel.training import linear

CLASSIFIERS: Mapping[str, linear.Penalty] = {"VGG+L1LR": "l1", "VGG+LR": "l2"}


class Samples(NamedTuple):
    """Features N×D with labels N×L of the images (N,), and the columns (start, end) that each block of layers has."""

    image_id: NDArray[np.int64]
    x: NDArray[np.float64]
    truth: NDArray[np.uint8]
    classes: tuple[str, ...]
    blocks: Mapping[str, tuple[int, int]]


class Values(NamedTuple):
    """Decision values M×L of a classifier for the test images (M,) of a split, and how many images trained it."""

    split: int
    classifier: str
    images: int
    image_id: NDArray[np.int64]
    values: NDArray[np.float64]


def load(feature_file: str | Path, label_file: str | Path) -> Samples:
    """The images from which random splits are drawn, see `load_split`.

    Raises:
        ValueError: the files do not fit together, or a class has too few images for a split to train and test on it;
            the message names files or classes.
    """
    samples = load_split(feature_file, label_file)
    counts = samples.truth.sum(axis=0).tolist()
    rare = [f"{name} ({count})" for name, count in zip(samples.classes, counts, strict=True) if count < 2]
    if rare:
        raise ValueError(
            f"{label_file}: expected at least 2 images of each class, one to train and one to test on; "
            f"found fewer of {', '.join(rare)}"
        )
    return samples


def load_split(feature_file: str | Path, label_file: str | Path) -> Samples:
    """Features of all blocks, as `backbones.with_blocks` gives them, with the labels of their images.

    Raises:
        ValueError: the files do not fit together; the message names them.
    """
    image_id, x = features_.load(feature_file)
    labels = LabelMatrix.load(label_file)
    truth = labels.labels[labels.rows_of(image_id, name=str(label_file), other=str(feature_file))]
    return Samples(image_id, x.astype(np.float64), truth, labels.classes, blocks_of(feature_file))


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
) -> tuple[list[Values], pd.DataFrame]:
    """Train both classifiers on some of the random splits, and apply them to the rest.

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
        The decision values; and the chosen features: split, classifier, class, block, and how many features of the
        block have a weight other than 0.
    """
    values: list[Values] = []
    chosen: list[dict[str, Any]] = []
    for number in numbers:
        train, test = split_rows(len(samples.x), share, seed=seed, number=number)
        for classifier, penalty in CLASSIFIERS.items():
            for size in [*(size for size in sizes if size < len(train)), len(train)]:
                rows = train[:size]
                model = linear.fit(samples.x[rows], samples.truth[rows], penalty=penalty, c=c, solver=solver)
                found = linear.scores(model, samples.x[test])
                values.append(Values(number, classifier, size, samples.image_id[test], found))
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
        report(f"split {number}: {len(train)} images trained {' and '.join(CLASSIFIERS)}, {len(test)} test them")
    return values, pd.DataFrame(chosen)


def save_values(path: str | Path, found: Iterable[Values]) -> None:
    """Write decision values as HDF5: split / classifier / images, and the split's image ids."""
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        for split, classifier, images, image_id, values in found:
            group = file.require_group(str(split))
            if "image_id" not in group:
                group["image_id"] = image_id
            group[f"{classifier}/{images}"] = values


def load_values(path: str | Path) -> Iterator[Values]:
    """Decision values in the order in which `evaluate` gives them, by split."""
    with h5py.File(path, "r", locking=False) as file:
        for split in sorted(file, key=int):
            image_id = file[split]["image_id"][()]
            for classifier in CLASSIFIERS:
                for images, values in sorted(file[split][classifier].items(), key=lambda item: int(item[0])):
                    yield Values(int(split), classifier, int(images), image_id, values[()])
