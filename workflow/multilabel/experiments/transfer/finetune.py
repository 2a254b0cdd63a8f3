"""Stage 2: base network and top model, trained together on images (Maddox 2017, sections 4.2 and 5.1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel import provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import runs, top_models
from multilabel.experiments.transfer.runs import FinetuneRun
from multilabel.files import read_json
from multilabel.images.augment import augment
from multilabel.images.names import AUGMENTATIONS
from multilabel.images.normalise import ChannelStatistics, normalise
from multilabel.networks import backbones
from multilabel.training import image_files, loop, optimisers
from multilabel.training.image_files import ImageFiles
from multilabel.training.objectives import BinaryCrossEntropy
from multilabel.training.schedule import Schedule
from multilabel.training.steps import Prepare


def train(
    name: str,
    *,
    labels: tuple[str, str],
    images: tuple[str, str],
    top_model_weights: str,
    base: Mapping[str, Any],
    statistics: str | None,
    folder: str | Path,
    settings: Mapping[str, Any],
    reading: Mapping[str, Any],
    record: Mapping[str, Any],
    image_lists: Sequence[str] = (),
    timing: str | Path | None = None,
    tensorboard: str | Path | None = None,
) -> None:
    """Train one run, starting from its top model's best weights, and leave it in `folder` as `loop.run` does.

    Args:
        name: the run's name.
        labels: label files of train and val.
        images: folders of the images of train and val.
        top_model_weights: `…/{run}/best.weights.h5` of stage 1.
        base: arguments of `backbones.build`.
        statistics: file of the channel statistics that `zmuvf` needs.
        folder: the run's folder.
        settings: epochs, patience, min_delta, momentum, decay, seed, memory_gb.
        reading: how images are read: workers, damaged, orient.
        record: what `run.json` records of the run's origin.
        image_lists: the lists of the images of train and val, which it records, too.
        timing: a file for the seconds of its epochs; None: no file.
        tensorboard: a folder for TensorBoard's logs; None: no logs.
    """
    run = _finetune_run(name)
    splits = [LabelMatrix.load(path) for path in labels]
    network = backbones.build(**base)
    head = top_models.load(top_model_weights, feature_count(network, run.top_model.pooling), len(splits[0].classes))
    sources = [
        image_files.source(
            _paths(split, Path(place)),
            split.targets,
            network.input_shape[1:3],
            seed=settings["seed"],
            memory_gb=settings["memory_gb"],
            reading=reading,
        )
        for split, place in zip(splits, images, strict=True)
    ]
    inputs = [*labels, *image_lists, top_model_weights, *filter(None, [base["weights"], statistics])]
    loop.run(
        Path(folder),
        {"specification": asdict(run), "inputs": provenance.digests(inputs), "settings": settings, **record},
        loop.Training(
            build(network, run, head),
            BinaryCrossEntropy(),
            optimisers.sgd(run.learning_rate, settings["momentum"], settings["decay"]),
            prepare=preparation(run.preprocess, statistics, run.augmentation),
            prepare_validation=preparation(run.preprocess, statistics),
            validation_batch_size=run.batch_size,
        ),
        *sources,
        Schedule(settings["epochs"], settings["patience"], settings["min_delta"]),
        batch_size=run.batch_size,
        seed=settings["seed"],
        timing=Path(timing) if timing else None,
        tensorboard=Path(tensorboard) if tensorboard else None,
    )
    loop.forget(Path(folder))


def predict(
    weights: str | Path,
    splits: Sequence[tuple[str, str]],
    *,
    base: Mapping[str, Any],
    statistics: str | None,
    reading: Mapping[str, Any],
    perturb: int | None = None,
    batch_size: int = 64,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Image ids (N,) and scores N×L, float32, of a run on the images of each split; perhaps once more, perturbed.

    Args:
        weights: `…/{run}/best.weights.h5` of the finished run.
        splits: the label file of each, which names the images, and where they lie.
        base: arguments of `backbones.build`; the run has weights of its own.
        statistics: file of the channel statistics that `zmuvf` needs.
        reading: how images are read: workers, damaged, orient.
        perturb: seed of random perturbations (all letters of the augmentation, Table 2 row d), with which the images of
            the last split follow once more; None: they do not.
        batch_size: images per forward pass.
    """
    run = _finetune_run(Path(weights).parent.name)
    matrices = [LabelMatrix.load(path) for path, _ in splits]
    model = load(weights, run, base, len(matrices[0].classes))

    def scored(split: LabelMatrix, images: str, scores: loop.Scorer) -> tuple[np.ndarray, np.ndarray]:
        paths, rows = _paths(split, Path(images)), np.arange(len(split.image_id))
        kept, found = scores(ImageFiles(paths, rows, model.input_shape[1:3], 0, **reading))
        return split.image_id[kept], found

    plain = loop.scorer(model, batch_size=batch_size, prepare=preparation(run.preprocess, statistics))
    for split, (_, images) in zip(matrices, splits, strict=True):
        yield scored(split, images, plain)
    if perturb is not None:
        prepare = preparation(run.preprocess, statistics, AUGMENTATIONS, perturb)
        yield scored(matrices[-1], splits[-1][1], loop.scorer(model, batch_size=batch_size, prepare=prepare))


def load(weights: str | Path, run: FinetuneRun, base: Mapping[str, Any], classes: int) -> keras.Model:
    """The model of a finished run: normalised images → logits. `base` holds arguments of `backbones.build`.

    Raises:
        ValueError: the weights do not fit or are damaged; the message names the file.
    """
    network = backbones.build(**{**base, "weights": None})
    model = build(
        network, run, top_models.build(run.top_model, feature_count(network, run.top_model.pooling), classes, seed=0)
    )
    backbones.load_weights(model, Path(weights))
    return model


def build(base: keras.Model, run: FinetuneRun, top_model: keras.Model) -> keras.Model:
    """Base network, pooling and top model in one: normalised images → logits; frozen layers do not train.

    Raises:
        ValueError: the base network has fewer layers than are to be frozen.
    """
    if run.frozen != "all" and int(run.frozen) > len(base.layers):
        raise ValueError(
            f"finetune.runs: {run.short_name} freezes {run.frozen} layers, and {base.name} has {len(base.layers)}; "
            f"expected a number from 0 to {len(base.layers)}, or all"
        )
    for layer in base.layers if run.frozen == "all" else base.layers[: int(run.frozen)]:
        layer.trainable = False
    return joined(base, run.top_model.pooling, top_model)


def joined(base: keras.Model, pooling: str, top_model: keras.Model) -> keras.Model:
    """Base network, pooling (`77`, `avg` or `max`) and top model in one: normalised images → logits."""
    layer_of = {
        "77": keras.layers.Flatten,
        "avg": keras.layers.GlobalAveragePooling2D,
        "max": keras.layers.GlobalMaxPooling2D,
    }
    x = layer_of[pooling](name="pooling")(base.output)
    for layer in top_model.layers[1:]:
        x = layer(x)
    return keras.Model(base.input, x, name="multilabel")


def preparation(preprocess: str, statistics: str | None, augmentation: str = "", seed: int = 0) -> Prepare:
    """What happens to images inside a step: augmentation by its letters, then normalisation."""
    channel = ChannelStatistics(**read_json(statistics)) if statistics else None

    def prepare(pixels: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        if augmentation:
            pixels = augment(pixels, augmentation, step + tf.constant([seed, 0]))
        return normalise(pixels, preprocess, channel)

    return prepare


def _paths(labels: LabelMatrix, folder: Path) -> list[Path]:
    return [folder / name for name in labels.file_name]


def feature_count(base: keras.Model, pooling: str) -> int:
    """Numbers that the top model takes: all of the feature map with `77`, else one a channel."""
    height, width, channels = base.output_shape[1:]
    return channels * (height * width if pooling == "77" else 1)


def _finetune_run(name: str) -> FinetuneRun:
    run = runs.parse(name)
    if not isinstance(run, FinetuneRun):
        raise ValueError(f"run name {name}: expected a fine-tuned run, found one of stage 1")
    return run
