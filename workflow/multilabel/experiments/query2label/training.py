"""Training of Query2Label and of what it is compared with: on the same images, by the same loss and schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from multilabel import export, provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, predictions
from multilabel.experiments.query2label import heads
from multilabel.experiments.query2label.heads import Design
from multilabel.experiments.query2label.preparation import preparation
from multilabel.files import read_json
from multilabel.training import image_files, loop
from multilabel.training.adam import Adam
from multilabel.training.asymmetric import AsymmetricLoss
from multilabel.training.criteria import HIGHEST_MAP
from multilabel.training.one_cycle import OneCycle
from multilabel.training.schedule import Schedule
from multilabel.training.sources import Labelled


@dataclass(frozen=True)
class Settings:
    """What runs depend on beside their network; see the section `query2label` of the configuration."""

    epochs: int
    patience: int | None
    batch_size: int
    learning_rate: float
    decay: float
    average: float
    gamma_negative: float
    gamma_positive: float
    clip: float
    rand_augment: bool
    cutout: float
    mixed_precision: bool
    memory_gb: float
    preprocess: str


@dataclass(frozen=True)
class Images:
    """The images of some splits in memory or on disk, and their labels; the y of a source are rows of the labels."""

    sources: Mapping[str, Any]
    labels: Mapping[str, LabelMatrix]
    files: Sequence[str]


def images_of(
    labels: Mapping[str, str],
    folders: Mapping[str, str],
    lists: Sequence[str],
    size: int,
    *,
    memory_gb: float,
    reading: Mapping[str, Any],
) -> Images:
    """The images of splits.

    Args:
        labels: split → label file.
        folders: split → where its images lie.
        lists: files by which one knows that an image was replaced.
        size: height and width to which they are resized.
        memory_gb: what the decoded images of a split may take.
        reading: how images are read: workers, damaged, orient.
    """
    matrices = {split: LabelMatrix.load(path) for split, path in labels.items()}
    found = {
        split: image_files.source(
            [Path(folders[split], name) for name in matrix.file_name],
            np.arange(len(matrix)),
            (size, size),
            seed=0,
            memory_gb=memory_gb,
            reading=reading,
        )
        for split, matrix in matrices.items()
    }
    return Images(found, matrices, [*labels.values(), *lists])


def train(
    folder: Path,
    run: str,
    design: Design,
    seed: int,
    images: Images,
    settings: Settings,
    *,
    weights: str | None,
    record: Mapping[str, Any],
) -> keras.Model:
    """Train one run and leave it in `folder/runs/{run}` as `loop.run` does; gives its network with the kept weights.

    The better of the weights and their moving average is kept, of the epoch with the highest validation mAP.

    Args:
        folder: the experiment's.
        run: the run's name.
        design: its network.
        seed: of initial weights, order of the images, dropout and distortions.
        images: of train and val.
        settings: see there.
        weights: of the base.
        record: what `run.json` records of the run's origin.

    Raises:
        ValueError: the training images are fewer than a batch.
    """
    truth = {split: images.labels[split].targets for split in ("train", "val")}
    steps = settings.epochs * (len(truth["train"]) // settings.batch_size)
    if not steps:
        raise ValueError(
            f"query2label.batch_size: expected at most {len(truth['train'])}, the training images, "
            f"found {settings.batch_size}"
        )
    cycle = OneCycle(settings.learning_rate, steps)
    model, optimizer = _built(design, images, settings, weights, seed), _optimizer(cycle, settings)
    ignoring = any(images.labels[split].ignored is not None for split in truth)
    origin = {
        "specification": asdict(design),
        "settings": asdict(settings) | {"seed": seed},
        "inputs": provenance.digests([*images.files, *filter(None, [weights])]),
    }
    loop.run(
        folder / "runs" / run,
        origin | dict(record),
        loop.Training(
            model,
            AsymmetricLoss(settings.gamma_negative, settings.gamma_positive, settings.clip, ignoring=ignoring),
            optimizer,
            drop_last=True,
            average=settings.average,
            prepare=preparation(settings.preprocess, augment=settings.rand_augment, cut=settings.cutout),
            prepare_validation=preparation(settings.preprocess),
            validation_batch_size=settings.batch_size,
        ),
        Labelled(replace(images.sources["train"], seed=seed), truth["train"]),
        Labelled(images.sources["val"], truth["val"]),
        Schedule(settings.epochs, settings.patience, 0.0, HIGHEST_MAP),
        batch_size=settings.batch_size,
        seed=seed,
        timing=folder / "timing" / f"{run}.csv",
    )
    return model


def predict(
    folder: Path,
    run: str,
    model: keras.Model,
    design: Design,
    images: Images,
    settings: Settings,
    splits: Sequence[str],
) -> None:
    """Write a trained run's scores of all images of splits, and the run as a model file, `folder/models/{run}.h5`."""
    score = loop.scorer(model, batch_size=settings.batch_size, prepare=preparation(settings.preprocess))
    for split in splits:
        rows, scores = score(images.sources[split])
        path = predictions.path_of(folder, run, split)
        predictions.save(path, images.labels[split].image_id[rows], scores)
        if split == "val":
            thresholds = decisions.cardinality_thresholds(scores, images.labels[split].truth[rows])
    export.save(
        folder / "models" / f"{run}.h5",
        folder / "runs" / run / "best.weights.h5",
        experiment="query2label",
        run=run,
        base={"input_size": design.base["input_size"], "design": asdict(design)},
        preprocess=settings.preprocess,
        classes=images.labels["train"].classes,
        thresholds=thresholds,
        statistics=None,
        provenance={
            "run": read_json(folder / "runs" / run / "run.json"),
            "thresholds": {"from": "as many validation images predicted per class as have it"},
        },
    )


def _built(design: Design, images: Images, settings: Settings, weights: str | None, seed: int) -> keras.Model:
    """The network, with mixed precision where that is asked for."""
    policy: Literal["mixed_float16", "float32"] = "mixed_float16" if settings.mixed_precision else "float32"
    kept = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        return heads.build(design, len(images.labels["train"].classes), weights=weights, seed=seed)
    finally:
        keras.mixed_precision.set_global_policy(kept)


def _optimizer(cycle: OneCycle, settings: Settings) -> keras.optimizers.Optimizer:
    adam = Adam(cycle.learning_rate, beta_1=cycle.beta_1, decay=settings.decay)
    return keras.optimizers.LossScaleOptimizer(adam) if settings.mixed_precision else adam
