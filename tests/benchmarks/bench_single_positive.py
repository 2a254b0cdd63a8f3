"""One epoch of ROLE on features of COCO's size, beside a plain loop of Keras with a `train_step` for each batch.

Expected, on the same cores: at least 5 times as fast; and the features and 1 GB of memory at most. The plain loop
does the same work with two of Keras' optimisers, of which one moves all of the estimator in each step; a part of its
epoch is timed and counts for the whole. The features are generated.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from comparison import Row, in_own_process, report

IMAGES, FEATURES, CLASSES, BATCH, EXPECTED = 82_081, 2_048, 80, 16, 2.9
STEPS_OF_PEER = 60
THREADS = 2


def rows() -> Iterator[Row]:
    """Seconds of an epoch, and the peak of memory of a process that trains one and validates."""
    ours, theirs = (in_own_process(__file__, who) for who in ("ours", "peer"))
    work = f"epoch of ROLE, {IMAGES:,} × {FEATURES:,} × {CLASSES}, batch {BATCH}"
    yield Row(work, "train_step per batch, Keras' Adam", [ours["seconds"]], [theirs["seconds"]], expected=5)
    allowed = IMAGES * FEATURES * 4 / 1e9 + 1
    yield Row(f"{work}: memory", "features and 1 GB", [ours["memory"]], [allowed], "GB", expected=1)
    yield Row(f"{work}: memory", "the plain loop", [ours["memory"]], [theirs["memory"]], "GB")


def generated() -> tuple[np.ndarray, np.ndarray]:
    """Features N×D and one observed positive label of each image, int8 N×L."""
    from multilabel.experiments.single_positive import features

    rng = np.random.default_rng(0)
    x = features.empty(IMAGES, FEATURES)
    rng.random(dtype=np.float32, out=x)
    observed = np.zeros((IMAGES, CLASSES), np.int8)
    observed[np.arange(IMAGES), rng.integers(0, CLASSES, IMAGES)] = 1
    return x, observed


def our_epoch() -> float:
    """Seconds of the second epoch of two, as the loop notes them: with validation on a few images, and its state."""
    from multilabel.experiments.single_positive import losses
    from multilabel.experiments.single_positive.samples import in_memory, linear_model
    from multilabel.training import loop
    from multilabel.training.adam import Adam
    from multilabel.training.schedule import Schedule
    from multilabel.training.sources import InMemory

    x, observed = generated()
    x = in_memory(x)
    with tempfile.TemporaryDirectory() as folder:
        state = loop.fit(
            loop.Training(
                linear_model(FEATURES, CLASSES, seed=0),
                losses.objective("role", EXPECTED, losses.initial_estimates(observed, seed=0)),
                Adam(1e-3),
                validation_objective=losses.objective("bce", EXPECTED),
                drop_last=True,
            ),
            InMemory(x, observed, 0),
            InMemory(x[:256], observed[:256], 0),
            Schedule(2, None, 0.0),
            batch_size=BATCH,
            seed=0,
            folder=Path(folder),
            key="bench",
            report=lambda line: None,
        )
    return state.history[1]["seconds"]


def their_epoch() -> float:
    """Seconds of an epoch by the rate of some of its steps."""
    import keras
    import tensorflow as tf

    from multilabel.experiments.single_positive import losses

    x, observed = generated()
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES)])
    estimator = keras.Variable(losses.initial_estimates(observed, seed=0))
    optimizers = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-2)
    optimizers[0].build(model.trainable_variables)
    optimizers[1].build([estimator])

    @tf.function
    def train_step(batch: tf.Tensor, truth: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model(batch, training=True)
            loss = losses.online_estimation(truth, logits, tf.gather(estimator.value, rows), EXPECTED)
        of_model, of_estimator = tape.gradient(loss, (model.trainable_variables, [estimator.value]))
        optimizers[0].apply(of_model, model.trainable_variables)
        optimizers[1].apply([tf.convert_to_tensor(of_estimator[0])], [estimator])
        return loss

    order = np.random.default_rng(0).permutation(IMAGES)
    started = 0.0
    for step in range(STEPS_OF_PEER + 5):
        if step == 5:
            started = time.perf_counter()
        rows = order[step * BATCH : (step + 1) * BATCH]
        train_step(tf.constant(x[rows]), tf.constant(observed[rows], tf.float32), tf.constant(rows)).numpy()
    return (time.perf_counter() - started) / STEPS_OF_PEER * (IMAGES // BATCH)


if __name__ == "__main__":
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from multilabel import devices

    devices.configure(THREADS, gpu=False)
    report(seconds={"ours": our_epoch, "peer": their_epoch}[sys.argv[1]]())
