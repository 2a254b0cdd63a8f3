"""A fine-tuned run as the network of a model file."""

from collections.abc import Callable

import keras
import tensorflow as tf

from multilabel.experiments.transfer import finetune, runs
from multilabel.export import Model
from multilabel.images.normalise import normalise


def network(model: Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """The Keras model, normalised images → logits, and a function from its images to scores; see `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit, or the run is not a fine-tuned one.
    """
    run = runs.parse(model.run)
    if not isinstance(run, runs.FinetuneRun):
        raise ValueError(f"{model.path}: expected the model of a fine-tuned run, found {model.run}")
    network_ = finetune.load(model.path, run, model.base, len(model.classes))

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(network_(normalise(pixels, model.preprocess, model.statistics), training=False))

    return network_, scores
