"""The tutorial's networks for 20 labels at their own size: all scores in one call, beside a call for each network.

Expected: Model 2, whose convolutions run once, at least 5 times as fast as 20 calls of Keras' `predict`, as the
tutorial makes them, for one image and for 32. Beside 20 compiled calls the factor for one image is bounded by memory:
both read the weights of 20 hidden layers, 1.4 GB, and do little else.
"""

from collections.abc import Iterator
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from comparison import Row, in_turn

from multilabel.experiments.designs import inference, networks

LABELS = 20


def model_2() -> list[keras.Model]:
    """Networks of one label each with the convolutions of the first."""
    first, *others = (networks.build(1, networks.Sizes(), seed=seed) for seed in range(LABELS))
    return [first, *(networks.share_convolutions(model, first) for model in others)]


def model_1() -> list[keras.Model]:
    """Networks of one label each."""
    return [networks.build(1, networks.Sizes(), seed=seed) for seed in range(LABELS)]


def predict(models: list[keras.Model], images: np.ndarray) -> list[np.ndarray]:
    """One network after the other, as the tutorial does it."""
    return [model.predict(images, verbose=0) for model in models]


def rows(rounds: int = 3) -> Iterator[Row]:
    """A row for each model, way of calling and number of images."""
    for title, build in (("Model 2", model_2), ("Model 1", model_1)):
        models = build()
        together, calls = inference.in_one_call(models), inference.one_after_the_other(models)
        for count in (1, 32):
            images = tf.random.stateless_uniform((count, *models[0].input_shape[1:]), (0, 0))
            taken = in_turn(
                {
                    "ours": lambda images=images, together=together: together(images).numpy(),
                    "compiled": lambda images=images, calls=calls: calls(images).numpy(),
                    "predict": partial(predict, models, images.numpy()),
                },
                rounds,
            )
            work = f"{title}, {LABELS} labels, {count} image(s) of 100×100"
            expected = 5.0 if title == "Model 2" else None
            yield Row(work, f"predict of {LABELS} networks", taken["ours"], taken["predict"], expected=expected)
            # Heads are not shared: what is left beside the convolutions bounds this ratio.
            yield Row(work, f"compiled calls of {LABELS} networks", taken["ours"], taken["compiled"])
        del models, together, calls
