"""Run names and what they mean, both ways, in the notation of Maddox (2017), sections 4.3 and 5.1.

A top-model run is named by its dataset, preprocessing, classifier design, hidden layers, learning rate and batch size:
`coco_2017_zmuvs_avg_2x4096d5_lr11_b256`. A fine-tuned run adds the frozen layers, learning rate, batch size and
augmentation of the second stage: `…_15_lr11_b128_hwrszf`.
"""

import re
from dataclasses import dataclass

from multilabel.images.names import ALIASES, AUGMENTATIONS, PREPROCESSES

WHITENED = "zca"
POOLINGS = ("77", "avg", "max", f"avg{WHITENED}", f"max{WHITENED}")

_NAME = re.compile(
    rf"""(?:(?P<dataset>[a-z0-9]+_[a-z0-9]+)_)?
    (?P<preprocess>{"|".join(PREPROCESSES)}|zmuv)_
    (?P<pooling>{"|".join(POOLINGS)})_
    (?P<layers>[1-9]\d*)x(?P<nodes>[1-9]\d*)(?P<regulariser>d\d+|bn)_
    lr(?P<rate>[1-9]\d*)_b(?P<batch>[1-9]\d*)
    (?:_(?P<frozen>\d+|all)_lr(?P<rate2>[1-9]\d*)_b(?P<batch2>[1-9]\d*)(?:_(?P<augmentation>[{AUGMENTATIONS}]+))?)?""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class TopModelRun:
    """One top model: hidden layers of `nodes` units on the bottleneck features of `preprocess` and `pooling`.

    `pooling` is the classifier design: the whole map (`77`), its global average or maximum, or one of these whitened
    (`avgzca`, `maxzca`). `regulariser` is `bn` or `d` and the digits of the dropout rate (`d5`: half of the nodes are
    dropped); `rate` is the learning rate as written in the name (`52`: 5·10⁻²).
    """

    dataset: str
    preprocess: str
    pooling: str
    layers: int
    nodes: int
    regulariser: str
    rate: str
    batch_size: int

    @property
    def name(self) -> str:
        """The full name, with `zmuvs` spelt as in the paper."""
        return f"{self.dataset}_{self.short_name}"

    @property
    def short_name(self) -> str:
        """The name without the dataset, as configurations write it."""
        design = f"{self.layers}x{self.nodes}{self.regulariser}"
        return f"{self.preprocess}_{self.pooling}_{design}_lr{self.rate}_b{self.batch_size}"

    @property
    def extracted(self) -> str:
        """The pooling of the features before whitening."""
        return self.pooling.removesuffix(WHITENED)

    def feature_file(self, split: str) -> str:
        """The name of the file of features of a split that it takes."""
        return f"{split}_{self.preprocess}_{self.pooling}.h5"

    @property
    def dropout(self) -> float | None:
        """The share of nodes that are dropped; None with batch normalisation."""
        return None if self.regulariser == "bn" else float("0." + self.regulariser[1:])

    @property
    def learning_rate(self) -> float:
        """The learning rate as a number."""
        return _learning_rate(self.rate)


@dataclass(frozen=True)
class FinetuneRun:
    """A base network with a trained top model, trained further on images.

    `frozen` is the number of layers, counted from the input, whose weights stay fixed, or `all` of the base network.
    """

    top_model: TopModelRun
    frozen: str
    rate: str
    batch_size: int
    augmentation: str

    @property
    def name(self) -> str:
        """The full name: the top model's, then the second stage's."""
        return f"{self.dataset}_{self.short_name}"

    @property
    def short_name(self) -> str:
        """The name without the dataset, as configurations write it."""
        stage2 = f"{self.frozen}_lr{self.rate}_b{self.batch_size}"
        return "_".join(filter(None, [self.top_model.short_name, stage2, self.augmentation]))

    @property
    def dataset(self) -> str:
        """The dataset of the top model."""
        return self.top_model.dataset

    @property
    def preprocess(self) -> str:
        """The normalisation of the images, the same in both stages."""
        return self.top_model.preprocess

    @property
    def learning_rate(self) -> float:
        """The learning rate of the second stage as a number."""
        return _learning_rate(self.rate)


Run = TopModelRun | FinetuneRun


def parse(name: str, dataset: str | None = None) -> Run:
    """Read a run name; `dataset` (such as `coco_2017`) is for names that are written without it.

    Args:
        name: a name in the paper's notation; `zmuv` and `zmuvs` are the same run.
        dataset: the dataset of a short name.

    Raises:
        ValueError: the name does not follow the notation, or the dataset is missing.

    >>> parse("coco_2017_zmuv_avg_1x2048d5_lr53_b32").learning_rate
    0.005
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(
            f"run name {name!r}: expected [dataset_subset_]preprocess_pooling_LAYERSxNODES(dN or bn)_lrXY_bN"
            f"[_FROZEN_lrXY_bN[_{AUGMENTATIONS}]], such as zmuvs_avg_2x4096d5_lr11_b256_15_lr11_b128_hwrszf; "
            f"preprocess is one of {', '.join(PREPROCESSES)}, pooling one of {', '.join(POOLINGS)}"
        )
    field = match.groupdict()
    dataset = field["dataset"] or dataset
    if not dataset:
        raise ValueError(f"run name {name!r}: expected a dataset before it, such as coco_2017_{name}")
    for rate in filter(None, (field["rate"], field["rate2"])):
        if len(rate) < 2:
            raise ValueError(f"run name {name!r}: lr{rate} has one digit; lrXY means X·10^−Y, such as lr11 for 0.1")
    top_model = TopModelRun(
        dataset=dataset,
        preprocess=ALIASES.get(field["preprocess"], field["preprocess"]),
        pooling=field["pooling"],
        layers=int(field["layers"]),
        nodes=int(field["nodes"]),
        regulariser=field["regulariser"],
        rate=field["rate"],
        batch_size=int(field["batch"]),
    )
    if field["frozen"] is None:
        return top_model
    letters = field["augmentation"] or ""
    if len(set(letters)) < len(letters):
        raise ValueError(f"run name {name!r}: augmentation {letters!r} repeats a letter of {AUGMENTATIONS}")
    augmentation = "".join(letter for letter in AUGMENTATIONS if letter in letters)
    return FinetuneRun(top_model, field["frozen"], field["rate2"], int(field["batch2"]), augmentation)


def _learning_rate(rate: str) -> float:
    return float(f"{rate[:-1]}e-{rate[-1]}")
