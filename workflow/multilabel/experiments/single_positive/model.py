"""The chosen run of a study as a model file, and the network of such a file."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from multilabel import export
from multilabel.evaluation import predictions, validation
from multilabel.experiments.single_positive import samples
from multilabel.experiments.single_positive.runs import Study, chosen_name
from multilabel.export import Model
from multilabel.files import read_json
from multilabel.images.normalise import normalise
from multilabel.networks import backbones


def save(
    path: str | Path,
    study: Study,
    seed: int,
    *,
    folder: str | Path,
    labels: str | Path,
    base: Mapping[str, Any],
    base_weights: str | None,
    preprocess: str,
) -> None:
    """Write the chosen run of a study as a model file, with thresholds from its scores on validation images.

    Args:
        path: the file to write.
        study: whose run it is.
        seed: with which its search trained.
        folder: the experiment's, with all that the study's training left; see `training.Training`.
        labels: label file of the validation images, with all of their labels.
        base: arguments of `backbones.build`, weights apart.
        base_weights: the base network's weights, for a linear study; others have trained it.
        preprocess: the normalisation of the images.
    """
    folder, name = Path(folder), chosen_name(study, seed)
    search = read_json(folder / "searches" / f"{study.name}.json")
    decided = validation.decided(labels, predictions.path_of(folder, name, "val"))
    own = folder / "runs" / search["chosen"]["run"] / "best.weights.h5"
    kept: AbstractContextManager[Path] = nullcontext(own)
    if study.mode == "linear":
        whole = samples.whole_model({**base, "weights": base_weights}, len(decided.classes), seed=seed)
        samples.take_classifier(whole, own)
        kept = export.weights_of(whole)
    with kept as weights:
        export.save(
            path,
            weights,
            experiment="single_positive",
            run=name,
            base=base,
            preprocess=preprocess,
            classes=decided.classes,
            thresholds=decided.thresholds,
            statistics=None,
            provenance={
                "run": read_json(folder / "chosen" / name / "run.json"),
                "chosen_by": {"criterion": "val_map", "value": search["chosen"]["val_map"]},
                "thresholds": decided.origin,
            },
        )


def network(model: Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """The Keras model, normalised images → logits, and a function from its images to scores; see `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit.
    """
    network_ = samples.whole_model({**model.base, "weights": None}, len(model.classes), seed=0)
    backbones.load_weights(network_, model.path)

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(network_(normalise(pixels, model.preprocess), training=False))

    return network_, scores
