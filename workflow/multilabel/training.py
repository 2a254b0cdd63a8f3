"""The loop that all training uses: many steps in one compiled call, early stopping, a log, exact resume.

Exact means: a run that is killed at any moment and started again ends in the same bytes as one that never was. Its
state holds weights, optimiser slots, history and the counters of early stopping; the order of the images, dropout and
augmentation are drawn from (seed, epoch, step) and need no state.
"""

import csv
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import keras
import numpy as np
import tensorflow as tf

from multilabel import devices, provenance
from multilabel.files import complete_or_absent, write_json

COLUMNS = ("epoch", "loss", "acc", "val_loss", "val_acc")
TIMES = ("epoch", "seconds")
"""Measured, so another file in each run: apart from the log, whose bytes are the same."""

SCALAR = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
"""What TensorBoard shows as a curve; with this, writing it does not need TensorBoard itself."""

Prepare = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(batch as stored, seed int32 (2,)) → batch as the network takes it; runs in the compiled step."""


class Chunk(NamedTuple):
    """Samples x (n×…) with labels y (n×L), and the positions in x that steps visit, in that order: int64 (m,)."""

    x: Any
    y: Any
    order: np.ndarray


class Source(Protocol):
    """Where samples come from: an epoch is a sequence of chunks, each small enough for memory."""

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """The samples in the order of this epoch; in their own order for None.

        Every chunk but the last holds a multiple of the batch size.
        """


@dataclass(frozen=True)
class InMemory:
    """Samples that fit in memory: one chunk, visited in another order in each epoch."""

    x: Any
    y: Any
    seed: int

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """One chunk; see `Source`."""
        count = len(self.y)
        order = np.arange(count) if epoch is None else permutation(count, self.seed, epoch)
        yield Chunk(self.x, self.y, order)


@dataclass(frozen=True)
class Schedule:
    """When training ends: after `epochs`, or `patience` epochs without a fall of the validation loss by `min_delta`."""

    epochs: int
    patience: int
    min_delta: float


def permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of `count` samples in an epoch, int64: a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def sgd(learning_rate: float, momentum: float, decay: float) -> keras.optimizers.Optimizer:
    """SGD with Nesterov momentum and the decay of early Keras: learning rate / (1 + decay · step).

    The author of paper 000 used momentum 0.9 and decay 1e-6 (his published code; the paper does not say).
    """
    schedule = keras.optimizers.schedules.InverseTimeDecay(learning_rate, decay_steps=1, decay_rate=decay)
    return _FusedSGD(schedule, momentum=momentum, nesterov=momentum > 0)


def fit(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    train: Source,
    validation: Source,
    schedule: Schedule,
    *,
    batch_size: int,
    seed: int,
    folder: Path,
    key: str,
    prepare: Prepare | None = None,
    prepare_validation: Prepare | None = None,
    validation_batch_size: int = 256,
    timing: Path | None = None,
    tensorboard: Path | None = None,
    report: Callable[[str], None] = print,
) -> list[dict[str, float]]:
    """Train a model of logits with binary cross-entropy and leave the weights of its best epoch in it.

    Writes `folder/log.csv` (epoch,loss,acc,val_loss,val_acc) after every epoch, and the state from which the same call
    goes on if it is interrupted. The state is bound to `key`; state of another key is never read.

    Args:
        model: samples → logits N×L.
        optimizer: a fresh Keras optimiser.
        train: samples to train on.
        validation: samples whose loss decides on the best epoch and on stopping.
        schedule: when to stop.
        batch_size: samples per step; the last step of an epoch takes what is left.
        seed: of dropout and of `prepare`.
        folder: the run's folder.
        key: hash of everything that the result depends on.
        prepare: what happens to a training batch inside the step (augmentation, normalisation).
        prepare_validation: the same for validation batches.
        validation_batch_size: samples per evaluation step.
        timing: a CSV file (epoch,seconds) for what each epoch took; None: no file.
        tensorboard: a folder for TensorBoard's logs, which are never read back; None: no logs.
        report: takes one line per epoch.

    Returns:
        One dictionary per epoch with the columns of the log and `seconds`. `loss` is the mean over the epoch's steps,
        with dropout, as Keras reports it; `acc` the share of right decisions at 0.5.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    optimizer.build(model.trainable_variables)
    train_steps = _compile_training(model, optimizer, batch_size, seed, prepare)
    evaluate = _compile_evaluation(model, validation_batch_size, prepare_validation)
    state = _State(folder, key, model, optimizer, report)
    state.restore()
    writer = _tensorboard_writer(tensorboard, state.history)
    while not state.finished(schedule):
        epoch, started = len(state.history), time.monotonic()
        _seed_dropout(model, seed, epoch)
        numbered = _numbered(train, epoch, batch_size)
        loss, acc = _mean(train_steps(*chunk, tf.constant(epoch), tf.constant(step)) for step, chunk in numbered)
        val_loss, val_acc = _mean(evaluate(*chunk) for chunk in validation.chunks(None, validation_batch_size))
        if not math.isfinite(loss + val_loss):
            raise FloatingPointError(
                f"{folder.name}: loss {loss}, validation loss {val_loss} in epoch {epoch}; try a lower learning rate"
            )
        seconds = round(time.monotonic() - started, 3)
        row = dict(zip(COLUMNS, (epoch, loss, acc, val_loss, val_acc), strict=True)) | {"seconds": seconds}
        state.add(row, schedule)
        _write_logs(folder, timing, state.history)
        with writer.as_default(step=epoch):
            for name in (*COLUMNS[1:], *TIMES[1:]):
                tf.summary.write(name, row[name], metadata=SCALAR)
        writer.flush()
        report(_line(folder.name, state, schedule))
    writer.close()
    state.load_best()
    _write_logs(folder, timing, state.history)  # a run that ended before its outputs were complete
    return state.history


def run(folder: Path, record: Mapping[str, Any], model: keras.Model, *arguments: Any, **options: Any) -> None:
    """Train as `fit` does and leave a finished run in its folder: `log.csv`, `best.weights.h5` and `run.json`.

    The state stays until `forget`: a job of several runs that is killed does not train its finished runs again.

    Args:
        folder: the run's folder.
        record: where the run comes from; goes into `run.json`, and its hash is the key of the state.
        model: see `fit`.
        arguments: see `fit`.
        options: see `fit`.
    """
    record = {**record, "versions": provenance.versions()}
    history = fit(model, *arguments, folder=folder, key=provenance.key(record), **options)
    with complete_or_absent(folder / "best.weights.h5") as temporary:
        model.save_weights(temporary)
    best = min(history, key=lambda row: row["val_loss"])
    results = {"epochs": len(history), "best_epoch": best["epoch"], "best_val_loss": best["val_loss"]}
    write_json(folder / "run.json", {**record, "machine": devices.machine(), "results": results})


def forget(folder: Path) -> None:
    """Remove the state of a finished run, once nothing can ask for it again."""
    for path in folder.glob(".state-*"):
        path.unlink()


def scores(
    model: keras.Model,
    source: Source,
    *,
    batch_size: int = 256,
    prepare: Prepare | None = None,
    activation: Callable[[tf.Tensor], tf.Tensor] = tf.sigmoid,
) -> tuple[np.ndarray, np.ndarray]:
    """What the source says of samples (its y), and their scores: `activation` of the model's output, float32 N×L."""

    @tf.function(reduce_retracing=True)
    def predict(batch: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return activation(model(prepare(batch, seed) if prepare else tf.cast(batch, tf.float32), training=False))

    said: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    for x, y, order in source.chunks(None, batch_size):
        said.append(y)
        for start in range(0, len(order), batch_size):
            parts.append(predict(x[start : start + batch_size], tf.constant([0, len(parts)])).numpy())
    return np.concatenate(said), np.concatenate(parts).astype(np.float32)


def _write_logs(folder: Path, timing: Path | None, history: Sequence[dict[str, float]]) -> None:
    """Write what each epoch came to and, apart from it, what it took."""
    for path, columns in ((folder / "log.csv", COLUMNS), (timing, TIMES)):
        if path:
            with complete_or_absent(path) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
                writer.writeheader()
                writer.writerows(history)


class _FusedSGD(keras.optimizers.SGD):
    """Keras' SGD whose step is one operation: one pass over weights and momenta, where Keras makes five."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=tf.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )


def _compile_training(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, batch_size: int, seed: int, prepare: Prepare | None
) -> Callable[..., tf.Tensor]:
    """A compiled function of a chunk: takes its steps and gives (sum of losses, right decisions, samples, labels)."""
    variables = [variable.value for variable in model.trainable_variables]

    @tf.function(reduce_retracing=True)
    def run(x: tf.Tensor, y: tf.Tensor, order: tf.Tensor, epoch: tf.Tensor, first_step: tf.Tensor) -> tf.Tensor:
        count = tf.shape(order)[0]
        totals = tf.zeros(3)
        for step in tf.range((count + batch_size - 1) // batch_size):
            rows = order[step * batch_size : (step + 1) * batch_size]
            batch, truth = _batch(x, y, rows, prepare, tf.stack([seed, epoch * 1_000_003 + first_step + step]))
            with tf.GradientTape() as tape:
                logits = model(batch, training=True)
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(truth, logits))
            optimizer.apply(tape.gradient(loss, variables), model.trainable_variables)
            totals += _totals(loss, truth, logits)
        return totals

    return run


def _compile_evaluation(model: keras.Model, batch_size: int, prepare: Prepare | None) -> Callable[..., tf.Tensor]:
    """A compiled function of a chunk: the same sums without training."""

    @tf.function(reduce_retracing=True)
    def run(x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        count = tf.shape(order)[0]
        totals = tf.zeros(3)
        for step in tf.range((count + batch_size - 1) // batch_size):
            rows = order[step * batch_size : (step + 1) * batch_size]
            batch, truth = _batch(x, y, rows, prepare, tf.stack([0, step]))
            logits = model(batch, training=False)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(truth, logits))
            totals += _totals(loss, truth, logits)
        return totals

    return run


def _batch(
    x: tf.Tensor, y: tf.Tensor, rows: tf.Tensor, prepare: Prepare | None, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """What the network takes of some samples, and their labels, float32."""
    batch = tf.gather(x, rows)
    return prepare(batch, seed) if prepare else tf.cast(batch, tf.float32), tf.cast(tf.gather(y, rows), tf.float32)


def _totals(loss: tf.Tensor, truth: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """(loss · samples, accuracy · samples, samples) of one batch."""
    samples = tf.cast(tf.shape(truth)[0], tf.float32)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(logits > 0, truth > 0.5), tf.float32))
    return tf.stack([loss * samples, accuracy * samples, samples])


def _mean(totals: Iterator[tf.Tensor]) -> tuple[float, float]:
    """Mean loss and accuracy over the chunks of an epoch."""
    loss, accuracy, samples = np.array([total.numpy() for total in totals], np.float64).T
    return float(loss.sum() / samples.sum()), float(accuracy.sum() / samples.sum())


def _numbered(source: Source, epoch: int, batch_size: int) -> Iterator[tuple[int, Chunk]]:
    """The chunks of an epoch, each with the number of its first step."""
    step = 0
    for chunk in source.chunks(epoch, batch_size):
        yield step, chunk
        step += -(-len(chunk[2]) // batch_size)


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Set each dropout layer's generator, which counts steps, to its place at the start of an epoch."""
    for index, layer in enumerate(model._flatten_layers()):
        if isinstance(layer, keras.layers.Dropout) and hasattr(layer, "seed_generator"):
            words = np.random.SeedSequence([seed, index, epoch]).generate_state(2, np.uint32)
            layer.seed_generator.state.assign(words)


def _tensorboard_writer(folder: Path | None, history: Sequence[dict[str, float]]) -> tf.summary.SummaryWriter:
    """Where scalars go; nowhere without a folder. A run that starts anew replaces the logs of an earlier one."""
    if not folder:
        return tf.summary.create_noop_writer()
    if not history:
        for path in folder.glob("events.out.tfevents.*"):
            path.unlink()
    return tf.summary.create_file_writer(str(folder))


def _line(name: str, state: "_State", schedule: Schedule) -> str:
    """What a person following the log wants to know after an epoch."""
    last = state.history[-1]
    left = (schedule.epochs - len(state.history)) * float(np.mean([row["seconds"] for row in state.history]))
    return (
        f"{name} epoch {last['epoch'] + 1}/{schedule.epochs} loss {last['loss']:.4f} val_loss {last['val_loss']:.4f} "
        f"best {state.best_loss:.4f} in {last['seconds']:.1f} s, at most {left / 60:.0f} min left"
    )


class _State:
    """Everything a run needs to go on as if it had never stopped, in memory and in a file beside the outputs."""

    PROGRESS = ("history", "best_loss", "reference_loss", "best_epoch", "wait")

    def __init__(
        self,
        folder: Path,
        key: str,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        report: Callable[[str], None],
    ) -> None:
        self.folder, self.key = folder, key
        self.optimizer = optimizer
        self.report = report
        self.weights = [v for v in model.variables if not v.path.endswith("seed_generator_state")]
        self.history: list[dict[str, float]] = []
        self.best_loss = self.reference_loss = math.inf
        self.best_epoch = self.wait = 0

    def finished(self, schedule: Schedule) -> bool:
        return len(self.history) >= schedule.epochs or self.wait >= schedule.patience

    def add(self, row: dict[str, float], schedule: Schedule) -> None:
        """Take in an epoch: keep its weights if it is the best, count the wait, save."""
        self.history.append(row)
        if row["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = row["val_loss"], int(row["epoch"])
        self.wait += 1
        if row["val_loss"] < self.reference_loss - schedule.min_delta:
            self.reference_loss, self.wait = row["val_loss"], 0
        self._save()

    def load_best(self) -> None:
        with h5py.File(self._path(self.best_epoch), "r") as file:
            self._assign(self._read(file["weights"]), self.weights)

    def restore(self) -> None:
        """Go on from the last epoch, if its file and that of the best one are readable; remove those of other keys."""
        for path in self.folder.glob("*.partial.*"):  # what was being written when the run was killed
            path.unlink()
        found = []
        for path in self.folder.glob(".state-*"):
            if path.name.startswith(f".state-{self.key}-"):
                found.append(path)
            else:
                path.unlink()
        if not found:
            return
        path = last = max(found, key=lambda path: int(path.stem.rpartition("-")[2]))
        try:
            with h5py.File(last, "r") as file:
                weights, optimizer = self._read(file["weights"]), self._read(file["optimizer"])
                progress = json.loads(file["progress"][()])
            path = self._path(progress["best_epoch"])
            with h5py.File(path, "r") as file:
                self._read(file["weights"])
        except (OSError, KeyError, ValueError) as error:
            self.report(f"{path}: unreadable state ({error}); training starts from the first epoch")
            return
        self._assign(weights, self.weights)
        self._assign(optimizer, self.optimizer.variables)
        for name in self.PROGRESS:
            setattr(self, name, progress[name])
        self.report(f"{self.folder.name}: goes on after epoch {len(self.history)}")

    def _save(self) -> None:
        """Write the epoch's file, then remove all but it and the best epoch's, whose weights are the result so far."""
        progress = {name: getattr(self, name) for name in self.PROGRESS}
        epoch = len(self.history) - 1
        with complete_or_absent(self._path(epoch)) as temporary, h5py.File(temporary, "w") as file:
            self._write(file.create_group("weights"), self.weights)
            self._write(file.create_group("optimizer"), self.optimizer.variables)
            file["progress"] = json.dumps(progress)
        for path in self.folder.glob(".state-*"):
            if path not in (self._path(epoch), self._path(self.best_epoch)):
                path.unlink()

    def _path(self, epoch: int) -> Path:
        return self.folder / f".state-{self.key}-{epoch}.h5"

    @staticmethod
    def _write(group: h5py.Group, variables: Sequence[keras.Variable]) -> None:
        for index, variable in enumerate(variables):
            group[str(index)] = variable.numpy()

    @staticmethod
    def _read(group: h5py.Group) -> list[np.ndarray]:
        return [group[str(index)][()] for index in range(len(group))]

    @staticmethod
    def _assign(values: Sequence[np.ndarray], variables: Sequence[keras.Variable]) -> None:
        for value, variable in zip(values, variables, strict=True):
            variable.assign(value)
