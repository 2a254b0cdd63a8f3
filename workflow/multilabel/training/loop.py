"""The loop that all training uses: many steps in one compiled call, early stopping, a log, exact resume.

Exact means: a run that is killed at any moment and started again ends in the same bytes as one that never was. Its
state holds weights, their moving average, optimiser slots, what the objective owns, history and the counters of early
stopping; the order of the images, dropout and augmentation are drawn from (seed, epoch, step) and need no state.
"""

import csv
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel import devices, provenance
from multilabel.files import complete_or_absent, write_json
from multilabel.training import steps
from multilabel.training.average import MovingAverage
from multilabel.training.objectives import Objective
from multilabel.training.schedule import Criterion, Schedule
from multilabel.training.sources import Chunk, Source
from multilabel.training.state import AVERAGED, State
from multilabel.training.steps import Prepare

VALIDATED = ("val_loss", "val_acc")
TIMES = ("epoch", "seconds", "memory_mb")
"""Measured, so another file in each run: apart from the log, whose bytes are the same."""

Scorer = Callable[[Source], tuple[np.ndarray, np.ndarray]]
"""A source → what it says of samples (its y), and their scores, float32 N×L."""

SCALAR = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
"""What TensorBoard shows as a curve; with this, writing it does not need TensorBoard itself."""


class Training:
    """A model with its objective and its optimiser, compiled: it is traced in the first of the runs that it trains.

    Each further run begins with the weights that the model then has, and with an optimiser that took no step. So runs
    that differ in data, seeds, batch sizes or learning rates alone can share one.
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Objective,
        optimizer: keras.optimizers.Optimizer,
        *,
        validation_objective: Objective | None = None,
        drop_last: bool = False,
        average: float | None = None,
        prepare: Prepare | None = None,
        prepare_validation: Prepare | None = None,
        validation_batch_size: int = 256,
    ) -> None:
        """Put together what is trained.

        Args:
            model: samples → outputs N×L.
            objective: what is minimised.
            optimizer: a fresh Keras optimiser; for an objective that owns variables, `adam.Adam`.
            validation_objective: what gives the validation's loss, accuracy and scores; None: `objective`. An objective
                that owns variables needs another one here: they have no rows for the validation's samples.
            drop_last: leave out the last step of an epoch where less than a batch is left, in training only.
            average: decay of a moving average of the weights, which is validated as well; the best epoch keeps the
                better of the two. None: no average.
            prepare: what happens to a training batch inside the step (augmentation, normalisation).
            prepare_validation: the same for validation batches.
            validation_batch_size: samples per evaluation step.

        Raises:
            TypeError: the objective owns variables, and the optimiser does not train such.
        """
        optimizer.build(model.trainable_variables)
        self.model, self.objective, self.optimizer = model, objective, optimizer
        self.by_rows = _by_rows(objective, optimizer)
        self.weights = [v for v in model.variables if not v.path.endswith("seed_generator_state")]
        self.average = None if average is None else MovingAverage(self.weights, average)
        self.validation_batch_size = validation_batch_size
        self.steps = steps.compile_training(
            model,
            objective,
            optimizer,
            prepare=prepare,
            drop_last=drop_last,
            average=self.average,
            by_rows=self.by_rows,
        )
        self._evaluation = {
            scores: steps.compile_evaluation(
                model,
                validation_objective or objective,
                batch_size=validation_batch_size,
                prepare=prepare_validation,
                scores=scores,
            )
            for scores in (False, True)
        }
        changing = [variable for variable in optimizer.variables if variable.name != "learning_rate"]
        self._moments = [variable for variable in changing if len(variable.shape)]
        self._counters = [(variable, variable.numpy().item()) for variable in changing if not len(variable.shape)]
        self._began = False

    @property
    def variables(self) -> dict[str, Sequence[keras.Variable]]:
        """All that changes in training, by what it is."""
        return {
            "weights": self.weights,
            "optimizer": self.optimizer.variables,
            "objective": self.objective.variables,
            "rows": self.by_rows.variables if self.by_rows else (),
            "average": self.average.variables if self.average else (),
        }

    def begin(self) -> None:
        """Be as if there had been no run before.

        Raises:
            ValueError: there was one, and it changed what the objective owns.
        """
        if self._began and self.objective.variables:
            raise ValueError(f"{type(self.objective).__name__} owns variables: expected one run of it, found another")
        if self._began:
            for moment in self._moments:
                moment.assign(tf.zeros_like(moment.value))  # as those of SGD and Adam begin
            for counter, value in self._counters:
                counter.assign(value)
        if self.average:
            self.average.begin()
        self._began = True

    def validated(self, validation: Source, criterion: Criterion) -> dict[str, float]:
        """The columns of the log that validation gives, for the weights as they are."""
        totals, truth, judged = [], [], []
        for chunk in validation.chunks(None, self.validation_batch_size):
            found, scores = self._evaluation[criterion.measure is not None](*chunk)
            totals.append(found)
            if criterion.measure:
                truth.append(np.asarray(chunk.y)[chunk.order])
                judged.append(scores.numpy())
        columns = dict(zip(VALIDATED, steps.mean(totals), strict=True))
        if criterion.measure:
            finite = math.isfinite(columns["val_loss"])
            columns[criterion.column] = (
                criterion.measure(np.concatenate(truth), np.concatenate(judged)) if finite else math.nan
            )
        return columns


def fit(
    training: Training,
    train: Source,
    validation: Source,
    schedule: Schedule,
    *,
    batch_size: int,
    seed: int,
    folder: Path,
    key: str,
    timing: Path | None = None,
    tensorboard: Path | None = None,
    after_epoch: Callable[[int], None] | None = None,
    report: Callable[[str], None] = print,
) -> State:
    """Train a model and leave the weights of its best epoch in it, and in the objective what it then owned.

    Writes `folder/log.csv` after every epoch, and once a second the state from which the same call goes on if it is
    interrupted. The state is bound to `key`; state of another key is never read.

    The log's columns are epoch, loss, acc, val_loss, val_acc, then the criterion's if it is none of these, then with a
    moving average the validation's columns once more, as `ema_…`: those of the averaged weights.

    Args:
        training: what is trained, from the weights that it has.
        train: samples to train on.
        validation: samples that decide on the best epoch and on stopping.
        schedule: when to stop, and which epoch is the best.
        batch_size: samples per step; the last step of an epoch takes what is left.
        seed: of dropout and of preparation.
        folder: the run's folder.
        key: hash of everything that the result depends on.
        timing: a CSV file (epoch,seconds,memory_mb) for what each epoch took, and the most memory that the process had
            until then; None: no file.
        tensorboard: a folder for TensorBoard's logs, which are never read back; None: no logs.
        after_epoch: takes the number of each epoch after its steps, before the state is saved; so once more where
            training was interrupted in between.
        report: takes one line per epoch.

    Returns:
        The state after the last epoch. Its history has one dictionary per epoch with the columns of log and timing.
        `loss` is the mean over the epoch's steps, with dropout, as Keras reports it; `acc` the objective's accuracy,
        likewise.

    Raises:
        FloatingPointError: a loss is not finite.
        ValueError: the training samples are fewer than a batch, and the last is left out.
    """
    training.begin()
    averaged, criterion = training.average, schedule.criterion
    of_run = tf.constant(batch_size), tf.constant(seed)
    state = State(folder, key, training.variables, schedule, report)
    state.restore()
    writer = _tensorboard_writer(tensorboard, state.history)
    while not state.finished:
        epoch, started = len(state.history), time.monotonic()
        _seed_dropout(training.model, seed, epoch)
        numbered = _numbered(train, epoch, batch_size)
        loss, acc = steps.mean(
            training.steps(*chunk, *of_run, tf.constant(epoch), tf.constant(step)) for step, chunk in numbered
        )
        row = {"epoch": epoch, "loss": loss, "acc": acc} | training.validated(validation, criterion)
        if averaged:
            averaged.exchange()
            found = training.validated(validation, criterion)
            row |= {AVERAGED + name: value for name, value in found.items()}
            averaged.exchange()
        if not math.isfinite(loss + row["val_loss"]):
            raise FloatingPointError(
                f"{folder.name}: loss {loss}, validation loss {row['val_loss']} in epoch {epoch}; "
                "try a lower learning rate"
            )
        if after_epoch:
            after_epoch(epoch)
        row["seconds"] = round(time.monotonic() - started, 3)
        row["memory_mb"] = round(devices.peak_memory() / 1e6)
        state.add(row)
        _write_logs(folder, timing, state.history)
        with writer.as_default(step=epoch):
            for name in list(row)[1:]:
                tf.summary.write(name, row[name], metadata=SCALAR)
        writer.flush()
        report(_line(folder.name, state))
    writer.close()
    state.load_best()
    if averaged and state.best_is_average:
        averaged.exchange()
    if training.by_rows:
        training.by_rows.settle()
    _write_logs(folder, timing, state.history)  # a run that ended before its outputs were complete
    return state


def run(folder: Path, record: Mapping[str, Any], training: Training, *arguments: Any, **options: Any) -> None:
    """Train as `fit` does and leave a finished run in its folder: `log.csv`, `best.weights.h5` and `run.json`.

    The state stays until `forget`: a job of several runs that is killed does not train its finished runs again.

    Args:
        folder: the run's folder.
        record: where the run comes from; goes into `run.json`, and its hash is the key of the state.
        training: see `fit`.
        arguments: see `fit`.
        options: see `fit`.
    """
    record = {**record, "versions": provenance.versions()}
    state = fit(training, *arguments, folder=folder, key=provenance.key(record), **options)
    model = training.model
    with complete_or_absent(folder / "best.weights.h5") as temporary:
        model.save_weights(temporary)
    results: dict[str, Any] = {
        "epochs": len(state.history),
        "best_epoch": state.best_epoch,
        f"best_{state.schedule.criterion.column}": state.best_value,
        "trained_parameters": sum(math.prod(variable.shape) for variable in model.trainable_variables),
    }
    if training.average:
        results["best_is_average"] = state.best_is_average
    write_json(folder / "run.json", {**record, "machine": devices.machine(), "results": results})


def forget(folder: Path) -> None:
    """Remove the state of a finished run, once nothing can ask for it again."""
    for path in folder.glob(".state-*"):
        path.unlink()


def scorer(
    model: keras.Model,
    *,
    batch_size: int = 256,
    prepare: Prepare | None = None,
    activation: Callable[[tf.Tensor], tf.Tensor] = tf.sigmoid,
) -> Scorer:
    """A function that gives what a source says of samples, and their scores: `activation` of the model's output.

    It is compiled once for all sources.
    """

    @tf.function(reduce_retracing=True, autograph=False)
    def predict(batch: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return activation(model(prepare(batch, seed) if prepare else tf.cast(batch, tf.float32), training=False))

    def scores(source: Source) -> tuple[np.ndarray, np.ndarray]:
        said: list[np.ndarray] = []
        parts: list[np.ndarray] = []
        for x, y, order, _ in source.chunks(None, batch_size):
            said.append(y)
            for start in range(0, len(order), batch_size):
                parts.append(predict(x[start : start + batch_size], tf.constant([0, len(parts)])).numpy())
        return np.concatenate(said), np.concatenate(parts).astype(np.float32)

    return scores


def _by_rows(objective: Objective, optimizer: keras.optimizers.Optimizer) -> Any:
    """What trains the variables that the objective owns, if any."""
    if not objective.variables:
        return None
    if not hasattr(optimizer, "by_rows"):
        raise TypeError(
            f"{type(objective).__name__} owns variables: expected an optimiser that trains them, such as adam.Adam, "
            f"found {type(optimizer).__name__}"
        )
    return optimizer.by_rows(objective.variables, objective.learning_rate_factor)


def _write_logs(folder: Path, timing: Path | None, history: Sequence[dict[str, float]]) -> None:
    """Write what each epoch came to and, apart from it, what it took."""
    logged = [name for name in history[0] if name not in TIMES[1:]]
    for path, columns in ((folder / "log.csv", logged), (timing, TIMES)):
        if path:
            with complete_or_absent(path) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
                writer.writeheader()
                writer.writerows(history)


def _numbered(source: Source, epoch: int, batch_size: int) -> Iterator[tuple[int, Chunk]]:
    """The chunks of an epoch, each with the number of its first step."""
    step = 0
    for chunk in source.chunks(epoch, batch_size):
        yield step, chunk
        step += -(-len(chunk[2]) // batch_size)


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Set the generator of each layer that draws, which counts steps, to its place at the start of an epoch."""
    for index, layer in enumerate(model._flatten_layers()):
        if isinstance(getattr(layer, "seed_generator", None), keras.random.SeedGenerator):
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


def _line(name: str, state: State) -> str:
    """What a person following the log wants to know after an epoch."""
    last, epochs, column = state.history[-1], state.schedule.epochs, state.schedule.criterion.column
    left = (epochs - len(state.history)) * float(np.mean([row["seconds"] for row in state.history]))
    shown = dict.fromkeys(["loss", "val_loss", column, *filter(last.__contains__, [AVERAGED + column])])
    return (
        f"{name} epoch {last['epoch'] + 1}/{epochs} {' '.join(f'{name} {last[name]:.4f}' for name in shown)} "
        f"best {state.best_value:.4f} in {last['seconds']:.1f} s, at most {left / 60:.0f} min left"
    )
