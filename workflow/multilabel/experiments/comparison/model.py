"""Label frequencies as a model file, so that `multilabel predict` takes this method, too."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from multilabel import export
from multilabel.evaluation import validation
from multilabel.experiments.comparison.names import FREQUENCIES
from multilabel.files import read_json
from multilabel.networks import backbones

SIDE = 8
"""Height and width of the images, of which nothing is used."""


def save(path: str | Path, record: str | Path, label_file: str | Path, score_file: str | Path) -> None:
    """Write the model file.

    Args:
        path: where it goes.
        record: the run's `run.json`, which has the shares.
        label_file: of the validation images, which choose thresholds.
        score_file: their scores.
    """
    content = read_json(record)
    decided = validation.decided(label_file, score_file)
    with export.weights_of(_built(decided.classes, np.array(content["results"]["shares"]))) as weights:
        export.save(
            path,
            weights,
            experiment="comparison",
            run=FREQUENCIES,
            base={"input_size": SIDE},
            preprocess="unit",
            classes=decided.classes,
            thresholds=decided.thresholds,
            statistics=None,
            provenance={"run": content, "thresholds": decided.origin},
        )


def network(model: export.Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """The Keras model, images → shares, and a function from images to them; see `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit.
    """
    network_ = _built(model.classes, np.zeros(len(model.classes)))
    backbones.load_weights(network_, model.path)
    return network_, lambda pixels: network_(tf.cast(pixels, tf.float32) / 255, training=False)


def _built(classes: Sequence[str], shares: np.ndarray) -> keras.Model:
    """A network whose outputs are its bias, whatever it is given."""
    images = keras.Input((SIDE, SIDE, 3))
    outputs = keras.layers.Dense(len(classes), name="shares")(keras.layers.GlobalAveragePooling2D()(images))
    built = keras.Model(images, outputs, name=FREQUENCIES)
    built.get_layer("shares").set_weights([np.zeros((3, len(classes)), np.float32), shares.astype(np.float32)])
    return built
