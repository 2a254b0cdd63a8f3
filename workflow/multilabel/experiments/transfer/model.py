"""A run of either stage, or of one-vs-rest logistic regression, as a model file; and the network of such a file."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel import export
from multilabel.evaluation import predictions, validation
from multilabel.experiments.transfer import finetune, independent, runs, top_models
from multilabel.export import Model
from multilabel.features.whitening import Whitening
from multilabel.files import read_json
from multilabel.images.normalise import normalise
from multilabel.networks import backbones

INDEPENDENT = "independent_"
"""How names of one-vs-rest logistic regression begin, before normalisation and pooling."""


def save(
    path: str | Path,
    name: str,
    *,
    results: str | Path,
    base: Mapping[str, Any],
    base_weights: str | None = None,
    whitening: Whitening | None = None,
    statistics: str | None = None,
    chosen_by: Mapping[str, Any] | None = None,
) -> None:
    """Write a finished run as a model file, with thresholds from its scores on validation images.

    Args:
        path: the file to write.
        name: the run's name.
        results: the folder of the dataset's results, where the run and its predictions lie.
        base: arguments of `backbones.build`, weights apart.
        base_weights: the base network's weights, for a run on features; a fine-tuned run has its own.
        whitening: what whitened the features of a run of stage 1.
        statistics: file of the channel statistics that `zmuvf` needs.
        chosen_by: why this run, for its provenance.
    """
    results = Path(results)
    decided = validation.decided(results / "labels/val.h5", predictions.path_of(results, name, "val"))
    below = {**base, "weights": base_weights}
    kept: AbstractContextManager[Path]
    if name.startswith(INDEPENDENT):
        folder, preprocess = results / "independent" / name, name.split("_")[1]
        kept = export.weights_of(_with_classifiers(name, below, independent.load(folder / "weights.h5")))
    else:
        run = runs.parse(name)
        preprocess = run.preprocess
        folder = results / ("top_models" if isinstance(run, runs.TopModelRun) else "finetuned") / name
        kept = nullcontext(folder / "best.weights.h5")
        if isinstance(run, runs.TopModelRun):
            kept = export.weights_of(_whole(run, folder / "best.weights.h5", below, len(decided.classes), whitening))
    with kept as weights:
        export.save(
            path,
            weights,
            experiment="transfer",
            run=name,
            base=base,
            preprocess=preprocess,
            classes=decided.classes,
            thresholds=decided.thresholds,
            statistics=read_json(statistics) if statistics else None,
            provenance={
                "run": read_json(folder / "run.json"),
                **({"chosen_by": chosen_by} if chosen_by else {}),
                "thresholds": decided.origin,
            },
        )


def network(model: Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """The Keras model, normalised images → logits, and a function from its images to scores; see `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit.
    """
    run = None if model.run.startswith(INDEPENDENT) else runs.parse(model.run)
    if run is None:
        nothing = independent.Classifiers(np.zeros((0, 0)), np.zeros(len(model.classes)))
        network_ = _with_classifiers(model.run, {**model.base, "weights": None}, nothing)
        backbones.load_weights(network_, model.path)
    elif isinstance(run, runs.FinetuneRun):
        network_ = finetune.load(model.path, run, model.base, len(model.classes))
    else:
        network_ = _joined(run, {**model.base, "weights": None}, len(model.classes))
        backbones.load_weights(network_, model.path)

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(network_(normalise(pixels, model.preprocess, model.statistics), training=False))

    return network_, scores


def _with_classifiers(name: str, base: Mapping[str, Any], found: independent.Classifiers) -> keras.Model:
    """The base network and linear classifiers on its pooled map; those without weights get them later."""
    below = backbones.build(**base)
    classifiers = keras.layers.Dense(len(found.intercept), name="classifiers")
    pooling = name.split("_")[2]
    top_model = keras.Model(features := keras.Input([finetune.feature_count(below, pooling)]), classifiers(features))
    if found.weights.size:
        classifiers.set_weights([part.astype(np.float32) for part in found])
    return finetune.joined(below, pooling, top_model)


def _joined(run: runs.TopModelRun, base: Mapping[str, Any], classes: int) -> keras.Model:
    """The base network and the top model of a run of stage 1, this one with random weights."""
    below = backbones.build(**base)
    inputs = finetune.feature_count(below, run.extracted)
    return finetune.joined(below, run.extracted, top_models.build(run, inputs, classes, seed=0))


def _whole(
    run: runs.TopModelRun, weights: Path, base: Mapping[str, Any], classes: int, whitening: Whitening | None
) -> keras.Model:
    """The same with the run's weights.

    Whitening is linear, as is the first layer: (x − mean)·M·W + b is x·(M·W) + (b − mean·M·W), so the two become one.
    """
    whole = _joined(run, base, classes)
    inputs = finetune.feature_count(keras.Model(whole.input, whole.get_layer("pooling").input), run.extracted)
    top_model = top_models.load(weights, inputs, classes)
    for layer in top_model.layers:
        if layer.weights:
            whole.get_layer(layer.name).set_weights(layer.get_weights())
    if whitening is not None:
        first = next(whole.get_layer(layer.name) for layer in top_model.layers if layer.weights)
        kernel, bias = first.get_weights()
        kernel = whitening.matrix @ kernel
        first.set_weights([kernel, bias - whitening.mean @ kernel])
    return whole
