"""The compiled parts of the loop: many steps of training or of evaluation in one call.

They are traced without AutoGraph, whose rewriting of Keras' layers takes a job two seconds: what is conditional in a
network, a loss or a preparation is so for a whole run.
"""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel.training.average import MovingAverage
from multilabel.training.objectives import Objective

Prepare = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(batch as stored, seed int32 (2,)) → batch as the network takes it; runs in the compiled step."""


def compile_training(
    model: keras.Model,
    objective: Objective,
    optimizer: keras.optimizers.Optimizer,
    *,
    prepare: Prepare | None = None,
    drop_last: bool = False,
    average: MovingAverage | None = None,
    by_rows: Any = None,
) -> Callable[..., tf.Tensor]:
    """A compiled function of a chunk and a run: takes its steps and gives (sum of losses, right decisions, samples).

    See `loop.Training` for the arguments; `by_rows` trains what the objective owns, see `adam.ByRows`.
    """
    variables = [variable.value for variable in model.trainable_variables]
    owned = [variable.value for variable in objective.variables]

    @tf.function(reduce_retracing=True, autograph=False)
    def run(
        x: tf.Tensor,
        y: tf.Tensor,
        order: tf.Tensor,
        rows: tf.Tensor | None,
        batch_size: tf.Tensor,
        seed: tf.Tensor,
        epoch: tf.Tensor,
        first_step: tf.Tensor,
    ) -> tf.Tensor:
        def take(step: tf.Tensor, totals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            picked = order[step * batch_size : (step + 1) * batch_size]
            batch, truth = _batch(x, y, picked, prepare, tf.stack([seed, epoch * 1_000_003 + first_step + step]))
            places = _places(rows, picked)
            if by_rows:
                by_rows.catch_up(places)
            with tf.GradientTape() as tape:
                outputs = _outputs(model, batch, training=True)
                loss = objective(tf.cast(truth, outputs.dtype), outputs, places)
                scaled = optimizer.scale_loss(loss)
            gradients, of_rows = tape.gradient(scaled, (variables, owned))
            if by_rows:
                by_rows.apply(of_rows, places)
            optimizer.apply(gradients, model.trainable_variables)
            if average:
                average.update()
            return step + 1, totals + _totals(objective, loss, truth, outputs)

        count = _steps(order, batch_size, drop_last)
        return tf.while_loop(lambda step, _: step < count, take, (tf.constant(0), tf.zeros(3)))[1]

    return run


def compile_evaluation(
    model: keras.Model,
    objective: Objective,
    *,
    batch_size: int,
    prepare: Prepare | None = None,
    scores: bool = False,
) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """A compiled function of a chunk: the same sums without training, and the scores in its order if they are asked."""

    @tf.function(reduce_retracing=True, autograph=False)
    def run(x: tf.Tensor, y: tf.Tensor, order: tf.Tensor, rows: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        def take(step: tf.Tensor, totals: tf.Tensor, kept: tf.TensorArray) -> tuple[Any, ...]:
            picked = order[step * batch_size : (step + 1) * batch_size]
            batch, truth = _batch(x, y, picked, prepare, tf.stack([0, step]))
            outputs = _outputs(model, batch, training=False)
            loss = objective(tf.cast(truth, outputs.dtype), outputs, _places(rows, picked))
            if scores:
                kept = kept.write(step, tf.cast(objective.activation(outputs), tf.float32))
            return step + 1, totals + _totals(objective, loss, truth, outputs), kept

        count = _steps(order, batch_size, False)
        kept = tf.TensorArray(tf.float32, count, infer_shape=False, element_shape=model.output_shape)
        start = tf.constant(0), tf.zeros(3), kept
        _, totals, kept = tf.while_loop(lambda step, *_: step < count, take, start)
        return totals, kept.concat() if scores else tf.zeros((0, 0))

    return run


def mean(totals: Iterable[tf.Tensor]) -> tuple[float, float]:
    """Mean loss and accuracy over the chunks of an epoch.

    Raises:
        ValueError: no sample was among them.
    """
    loss, accuracy, samples = np.array([total.numpy() for total in totals], np.float64).T
    if not samples.sum():
        raise ValueError("an epoch without a step: expected at least one whole batch of samples, found fewer")
    return float(loss.sum() / samples.sum()), float(accuracy.sum() / samples.sum())


def _steps(order: tf.Tensor, batch_size: int | tf.Tensor, drop_last: bool) -> tf.Tensor:
    count = tf.shape(order)[0]
    return count // batch_size if drop_last else (count + batch_size - 1) // batch_size


def _batch(
    x: tf.Tensor, y: tf.Tensor, picked: tf.Tensor, prepare: Prepare | None, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """What the network takes of some samples, and their labels, float32."""
    batch = tf.gather(x, picked)
    return prepare(batch, seed) if prepare else tf.cast(batch, tf.float32), tf.cast(tf.gather(y, picked), tf.float32)


def _outputs(model: keras.Model, batch: tf.Tensor, *, training: bool) -> tf.Tensor:
    """What the network gives, as a loss can compute with: of mixed precision's 16 bits, 32."""
    outputs = model(batch, training=training)
    return tf.cast(outputs, tf.float32) if outputs.dtype.size < 4 else outputs


def _places(rows: tf.Tensor | None, picked: tf.Tensor) -> tf.Tensor:
    """The positions in the whole source of samples picked from a chunk."""
    return picked if rows is None else tf.gather(rows, picked)


def _totals(objective: Objective, loss: tf.Tensor, truth: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """(loss · samples, accuracy · samples, samples) of one batch."""
    samples = tf.cast(tf.shape(truth)[0], tf.float32)
    accuracy = objective.accuracy(tf.cast(truth, outputs.dtype), outputs)
    return tf.stack([tf.cast(loss, tf.float32) * samples, accuracy * samples, samples])
