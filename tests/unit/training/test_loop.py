import json
import math
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from multilabel.training import loop, optimisers, sources
from multilabel.training.adam import Adam
from multilabel.training.asymmetric import AsymmetricLoss
from multilabel.training.criteria import HIGHEST_MAP, mean_average_precision
from multilabel.training.objectives import BinaryCrossEntropy, Objective
from multilabel.training.schedule import Schedule
from multilabel.training.sources import Chunk, InMemory
from multilabel.training.state import State

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 12)).astype(np.float32)
Y = (X @ RNG.normal(size=(12, 5)) + 0.5 * RNG.normal(size=(150, 5)) > 0.8).astype(np.uint8)
TRAIN, VALIDATION = InMemory(X[:100], Y[:100], seed=3), InMemory(X[100:], Y[100:], seed=3)
SCHEDULE = Schedule(epochs=6, patience=10, min_delta=5e-5)
OF_RUN = ("timing", "tensorboard", "after_epoch")


def network(dropout=0.5, seed=1):
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((12,), name="features")
    x = keras.layers.Dense(16, "relu", name="hidden")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, keras.layers.Dense(5, name="logits")(x), name="network")


def trained(folder, model, objective, optimizer, *, schedule, train, key="k", report=lambda line: None, **options):
    """The state after training in the settings that all tests share."""
    of_run = {name: options.pop(name) for name in OF_RUN if name in options}
    training = loop.Training(model, objective, optimizer, **options)
    return fitted(folder, training, schedule=schedule, train=train, key=key, report=report, **of_run)


def fitted(folder, training, *, schedule=SCHEDULE, train=TRAIN, key="k", report=lambda line: None, **options):
    arguments = (training, train, VALIDATION, schedule)
    return loop.fit(*arguments, batch_size=32, seed=3, folder=folder, key=key, report=report, **options)


def fit(folder, model=None, *, schedule=SCHEDULE, train=TRAIN, rate=0.1, **options):
    model = model or network()
    optimizer = optimisers.sgd(rate, 0.9, 1e-6)
    state = trained(folder, model, BinaryCrossEntropy(), optimizer, schedule=schedule, train=train, **options)
    return model, state.history


@pytest.fixture(autouse=True)
def written_every(monkeypatch):
    """Each epoch is written, as if it took a second."""
    monkeypatch.setattr("multilabel.training.state.WRITTEN_EVERY", 0)


class KilledError(Exception):
    pass


def killed_after(epochs):
    lines = []

    def report(line):
        if " epoch " in line:
            lines.append(line)
        if len(lines) == epochs:
            raise KilledError

    return report


def test_losses_agree_with_a_plain_keras_loop_of_the_same_weights_and_order(tmp_path):
    model = network(dropout=0.0)
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 1e-6), momentum=0.9, nesterov=True),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    expected = []
    for epoch in range(SCHEDULE.epochs):
        order = sources.permutation(100, 3, epoch)
        model.fit(X[:100][order], Y[:100][order].astype("float32"), batch_size=32, shuffle=False, verbose=0)
        expected.append(model.evaluate(X[100:], Y[100:].astype("float32"), verbose=0))
    _, history = fit(tmp_path, network(dropout=0.0))
    assert [row["val_loss"] for row in history] == pytest.approx(expected, abs=1e-4)


def test_a_run_killed_twice_ends_in_the_bytes_of_one_never_killed(tmp_path):
    undisturbed, _ = fit(tmp_path / "a")
    for epochs in (2, 3):
        with pytest.raises(KilledError):
            fit(tmp_path / "b", report=killed_after(epochs))
    resumed, history = fit(tmp_path / "b")
    assert len(history) == SCHEDULE.epochs
    for mine, other in zip(resumed.get_weights(), undisturbed.get_weights(), strict=True):
        assert mine.tobytes() == other.tobytes()


@pytest.mark.parametrize("after", [2, 5, 7, 9])
def test_killed_between_two_writings_it_ends_in_the_same_bytes(tmp_path, monkeypatch, after):
    """Epochs 0, 3, 6 and 9 are written; the best one, of which training overshoots, lies between two of them."""
    schedule = Schedule(epochs=10, patience=10, min_delta=0.0)
    undisturbed, history = fit(tmp_path / "a", network(dropout=0.0), schedule=schedule, rate=0.7)
    losses = [row["val_loss"] for row in history]
    assert losses.index(min(losses)) % 3
    add = State.add

    def add_and_write(self, row):
        monkeypatch.setattr("multilabel.training.state.WRITTEN_EVERY", math.inf if row["epoch"] % 3 else 0)
        add(self, row)

    monkeypatch.setattr(State, "add", add_and_write)
    told: list[str] = []
    with pytest.raises(KilledError):
        fit(tmp_path / "b", network(dropout=0.0), schedule=schedule, rate=0.7, report=killed_after(after))
    resumed, _ = fit(tmp_path / "b", network(dropout=0.0), schedule=schedule, rate=0.7, report=told.append)
    assert told[0].endswith(f"goes on after epoch {(after - 1) // 3 * 3 + 1}")
    for mine, other in zip(resumed.get_weights(), undisturbed.get_weights(), strict=True):
        assert mine.tobytes() == other.tobytes()


def test_a_resumed_run_counts_the_epochs_without_improvement_from_before(tmp_path):
    schedule = Schedule(epochs=20, patience=3, min_delta=10.0)
    with pytest.raises(KilledError):
        fit(tmp_path, schedule=schedule, report=killed_after(2))
    _, history = fit(tmp_path, schedule=schedule)
    assert len(history) == 4  # the first epoch counts as an improvement, three do not


def test_state_of_another_origin_is_not_used(tmp_path):
    with pytest.raises(KilledError):
        fit(tmp_path, key="old", rate=0.5, report=killed_after(3))
    resumed, _ = fit(tmp_path, key="new")
    fresh, _ = fit(tmp_path / "fresh", key="new")
    assert resumed.get_weights()[0].tobytes() == fresh.get_weights()[0].tobytes()


def overshooting(folder, **options):
    """Training whose first epoch is the best: (model, history)."""
    return fit(folder, rate=4.0, **options)


def test_what_a_killed_run_was_writing_is_removed(tmp_path):
    (tmp_path / "..123.partial.state-k-0.h5").write_bytes(b"half")
    (tmp_path / ".best.123.partial.weights.h5").write_bytes(b"half")
    fit(tmp_path)
    assert not list(tmp_path.glob("*.partial.*"))


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_state_cut_short_is_named_and_training_starts_over(tmp_path, epoch):
    """That of the last epoch, and that of the best one, whose weights the run would end with."""
    with pytest.raises(KilledError):
        overshooting(tmp_path, report=killed_after(3))
    assert sorted(path.name for path in tmp_path.glob(".state-*")) == [".state-k-0.h5", ".state-k-2.h5"]
    state = tmp_path / f".state-k-{epoch}.h5"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    lines = []
    resumed, history = overshooting(tmp_path, report=lines.append)
    assert lines[0].startswith(f"{state}: unreadable state")
    assert len(history) == SCHEDULE.epochs
    fresh, _ = overshooting(tmp_path / "fresh")
    assert resumed.get_weights()[0].tobytes() == fresh.get_weights()[0].tobytes()


def test_the_model_ends_with_the_weights_of_its_best_epoch(tmp_path):
    model, history = fit(tmp_path, schedule=Schedule(epochs=25, patience=25, min_delta=0.0), rate=0.9)
    best = min(row["val_loss"] for row in history)
    assert history[-1]["val_loss"] > best
    loss = keras.losses.BinaryCrossentropy(from_logits=True)(Y[100:].astype("float32"), model(X[100:]))
    assert float(loss) == pytest.approx(best, abs=1e-5)


def test_training_stops_when_the_loss_no_longer_falls_by_min_delta(tmp_path):
    _, history = fit(tmp_path, schedule=Schedule(epochs=50, patience=4, min_delta=10.0))
    assert len(history) == 5


def test_chunks_give_the_same_losses_as_all_samples_at_once(tmp_path):
    class InChunks:
        def chunks(self, epoch, batch_size):
            order = sources.permutation(100, 3, epoch)
            for start in (0, 64):
                rows = order[start : start + 64]
                yield Chunk(X[rows], Y[rows], np.arange(len(rows)))

    _, expected = fit(tmp_path / "a", network(dropout=0.0))
    _, found = fit(tmp_path / "b", network(dropout=0.0), train=InChunks())
    assert [row["val_loss"] for row in found] == pytest.approx([row["val_loss"] for row in expected], abs=1e-6)


def test_the_log_has_a_row_per_epoch(tmp_path):
    _, history = fit(tmp_path)
    log = pd.read_csv(tmp_path / "log.csv")
    assert list(log.columns) == ["epoch", "loss", "acc", "val_loss", "val_acc"]
    assert log["epoch"].tolist() == list(range(SCHEDULE.epochs))
    assert log["val_loss"].tolist() == pytest.approx([row["val_loss"] for row in history])


def test_what_is_measured_is_apart_from_the_log_also_after_a_restart(tmp_path):
    with pytest.raises(KilledError):
        fit(tmp_path / "killed", report=killed_after(2), timing=tmp_path / "killed.csv")
    first = pd.read_csv(tmp_path / "killed.csv")
    fit(tmp_path / "killed", timing=tmp_path / "killed.csv")
    timing = pd.read_csv(tmp_path / "killed.csv")
    assert list(timing.columns) == ["epoch", "seconds", "memory_mb"]
    assert (timing["memory_mb"] > 100).all()  # TensorFlow alone takes more
    assert timing["epoch"].tolist() == list(range(SCHEDULE.epochs))
    assert timing[:2].equals(first)
    fit(tmp_path / "whole")
    assert (tmp_path / "killed/log.csv").read_bytes() == (tmp_path / "whole/log.csv").read_bytes()


def test_dropout_differs_from_epoch_to_epoch_and_not_between_runs(tmp_path):
    _, first = fit(tmp_path / "a", rate=1e-12)
    _, second = fit(tmp_path / "b", rate=1e-12)
    losses = [row["loss"] for row in first]
    assert len({round(loss, 6) for loss in losses}) == len(losses)
    assert losses == [row["loss"] for row in second]


def test_a_loss_that_is_not_finite_stops_the_run_and_names_it(tmp_path):
    with pytest.raises(FloatingPointError, match="lower learning rate"):
        fit(tmp_path, rate=1e30)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("taken", "rate"), [(0, 0.1), (1_000_000, 0.05)])
def test_the_learning_rate_decays_by_step(taken, rate, momentum):
    weight = keras.Variable([0.0])
    optimizer = optimisers.sgd(0.1, momentum, 1e-6)
    optimizer.build([weight])
    optimizer.iterations.assign(taken)
    optimizer.apply([tf.ones(1)])
    assert float(weight.numpy()[0]) == pytest.approx(-rate * (1 + momentum))


def run(folder, record, **options):
    training = loop.Training(network(), BinaryCrossEntropy(), optimisers.sgd(0.1, 0.9, 1e-6), **options)
    loop.run(folder, record, training, TRAIN, VALIDATION, SCHEDULE, batch_size=32, seed=3)


def test_a_finished_run_leaves_log_weights_and_record_and_no_state(tmp_path):
    run(tmp_path, {"seed": 3})
    loop.forget(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.weights.h5", "log.csv", "run.json"]


@pytest.mark.parametrize("kind", ["sgd", "adam", "average"])
def test_runs_that_share_what_is_compiled_are_those_of_their_own(tmp_path, kind):
    """Of other data, another batch size, seed and rate: weights and log to the bit."""
    options = {"average": 0.9} if kind == "average" else {}
    runs = [
        {"rate": 0.1, "seed": 3, "batch_size": 32, "train": TRAIN},
        {"rate": 0.02, "seed": 4, "batch_size": 7, "train": InMemory(X[20:90], Y[20:90], seed=4)},
    ]

    def training(rate):
        optimizer = keras.optimizers.Adam(rate) if kind == "adam" else optimisers.sgd(rate, 0.9, 1e-6)
        return loop.Training(network(), BinaryCrossEntropy(), optimizer, **options)

    def left(folder, of, run):
        of.model.set_weights(network(seed=run["seed"]).get_weights())
        of.optimizer.learning_rate = run["rate"]
        schedule, numbers = replace(SCHEDULE, epochs=3), {name: run[name] for name in ("batch_size", "seed")}
        loop.fit(of, run["train"], VALIDATION, schedule, folder=folder, key="k", report=lambda line: None, **numbers)
        return [weight.tobytes() for weight in of.model.get_weights()], (folder / "log.csv").read_bytes()

    shared = training(1.0)
    for number, run in enumerate(runs):
        own = left(tmp_path / f"own_{number}", training(run["rate"]), run)
        assert left(tmp_path / f"shared_{number}", shared, run) == own


def test_what_an_objective_owns_is_trained_once(tmp_path):
    training = loop.Training(network(), Offsets(), Adam(0.01), validation_objective=BinaryCrossEntropy())
    fitted(tmp_path / "a", training)
    with pytest.raises(ValueError, match="Offsets owns variables: expected one run of it"):
        fitted(tmp_path / "b", training)


def test_two_runs_write_the_same_weights_file(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        run(folder, {})
    first, second = ((tmp_path / name / "best.weights.h5").read_bytes() for name in "ab")
    assert first == second


def scalars(folder):
    """(tag, epoch) → value of TensorBoard's logs in a folder."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in map(tf.compat.v1.Event.FromString, (r.numpy() for r in tf.data.TFRecordDataset(str(path)))):
            for value in event.summary.value:
                found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_tensorboard_shows_what_the_log_says_also_after_a_restart(tmp_path):
    with pytest.raises(KilledError):
        fit(tmp_path / "run", report=killed_after(2), tensorboard=tmp_path / "logs")
    _, history = fit(tmp_path / "run", tensorboard=tmp_path / "logs")
    found = scalars(tmp_path / "logs")
    for column in ("loss", "acc", "val_loss", "val_acc"):
        expected = [row[column] for row in history]
        assert [found[column, epoch] for epoch in range(SCHEDULE.epochs)] == pytest.approx(expected)


def test_a_run_that_starts_anew_replaces_the_tensorboard_logs_of_an_earlier_one(tmp_path):
    fit(tmp_path / "run", tensorboard=tmp_path / "logs")
    fit(tmp_path / "run", key="new", schedule=Schedule(2, 10, 0.0), tensorboard=tmp_path / "logs")
    assert {epoch for _, epoch in scalars(tmp_path / "logs")} == {0, 1}


# Other criteria, a moving average, what an objective owns


BEST_MAP = Schedule(epochs=8, patience=None, min_delta=0.0, criterion=HIGHEST_MAP)


def normalised(seed=1):
    """A network whose batch normalisation has weights that do not train, and dropout."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((12,), name="features")
    x = keras.layers.BatchNormalization(name="normalisation")(keras.layers.Dense(16, name="hidden")(x))
    x = keras.layers.Dropout(0.3, name="dropout")(keras.layers.ReLU(name="relu")(x))
    return keras.Model(inputs, keras.layers.Dense(5, name="logits")(x), name="network")


class Offsets(Objective):
    """Binary cross-entropy of outputs to which each training sample adds numbers of its own."""

    learning_rate_factor = 10.0

    def __init__(self):
        self.offsets = keras.Variable(np.zeros((100, 5), np.float32), name="offsets")
        self.variables = [self.offsets]

    def __call__(self, truth, outputs, rows):
        own = tf.gather(self.offsets.value, rows)
        return BinaryCrossEntropy()(truth, outputs + own, rows) + tf.reduce_mean(own * own)


def fit_all(folder, *, train=TRAIN, schedule=BEST_MAP, average=0.8, **options):
    """Everything at once: (model, objective, state)."""
    model, objective = normalised(), Offsets()
    state = trained(
        folder,
        model,
        objective,
        Adam(0.03),
        schedule=schedule,
        train=train,
        validation_objective=BinaryCrossEntropy(),
        drop_last=True,
        average=average,
        **options,
    )
    return model, objective, state


def test_with_all_of_it_a_run_killed_twice_ends_in_the_bytes_of_one_never_killed(tmp_path):
    model, objective, _ = fit_all(tmp_path / "a")
    for epochs in (2, 3):
        with pytest.raises(KilledError):
            fit_all(tmp_path / "b", report=killed_after(epochs))
    resumed, owned, _ = fit_all(tmp_path / "b")
    for mine, other in zip(resumed.get_weights(), model.get_weights(), strict=True):
        assert mine.tobytes() == other.tobytes()
    assert owned.offsets.numpy().tobytes() == objective.offsets.numpy().tobytes()
    assert (tmp_path / "a/log.csv").read_bytes() == (tmp_path / "b/log.csv").read_bytes()


@pytest.mark.parametrize("average", [None, 0.5, 0.97])
def test_the_model_ends_with_the_weights_of_the_best_map_plain_or_averaged(tmp_path, average):
    model, _, state = fit_all(tmp_path, average=average)
    log = pd.read_csv(tmp_path / "log.csv").filter(regex="val_map")
    assert len(log.columns) == (1 if average is None else 2)
    assert state.best_value == log.max(axis=None)
    assert log.max(axis=1).idxmax() == state.best_epoch
    assert state.best_is_average == (log.iloc[state.best_epoch].idxmax() == "ema_val_map")
    found = mean_average_precision(Y[100:], tf.sigmoid(model(X[100:])).numpy())
    assert found == pytest.approx(state.best_value, abs=1e-6)


def test_the_log_has_the_columns_of_the_averaged_weights_where_there_are_any(tmp_path):
    fit_all(tmp_path, schedule=replace(BEST_MAP, epochs=1))
    log = pd.read_csv(tmp_path / "log.csv")
    plain = ["epoch", "loss", "acc", "val_loss", "val_acc", "val_map"]
    assert list(log.columns) == [*plain, "ema_val_loss", "ema_val_acc", "ema_val_map"]


def test_the_record_says_which_weights_were_better_and_by_what(tmp_path):
    run(tmp_path, {}, average=0.9)
    results = json.loads((tmp_path / "run.json").read_text())["results"]
    assert sorted(results) == ["best_epoch", "best_is_average", "best_val_loss", "epochs", "trained_parameters"]


def test_what_an_objective_owns_is_trained_at_the_rows_of_the_samples(tmp_path):
    """With labels turned around for one sample, only its own numbers point the other way."""
    turned = Y[:100].copy()
    turned[7] = 1 - turned[7]
    (_, plain, _), (_, changed, _) = (
        fit_all(tmp_path / name, train=InMemory(X[:100], y, 3), schedule=replace(BEST_MAP, epochs=1))
        for name, y in (("plain", Y[:100]), ("turned", turned))
    )
    signs = [np.sign(objective.offsets.numpy()) for objective in (plain, changed)]
    trained = signs[0].any(axis=1)
    assert trained.sum() == 96  # the last four of the epoch's order are dropped
    assert (signs[0] != signs[1]).any(axis=1)[trained].sum() == trained[7]
    assert (signs[0] == np.where(Y[:100], 1, -1))[trained].all()


def test_rows_of_a_source_are_what_an_objective_gets(tmp_path):
    rows = np.random.default_rng(0).permutation(100)
    shuffled = InMemory(X[rows], Y[rows], 3, rows)
    _, found, _ = fit_all(tmp_path, train=shuffled, schedule=replace(BEST_MAP, epochs=1))
    signs = np.sign(found.offsets.numpy())
    trained = signs.any(axis=1)
    assert trained.sum() == 96
    assert (signs == np.where(Y[:100], 1, -1))[trained].all()


def test_a_short_last_batch_is_dropped_when_it_is_asked(tmp_path):
    counts = []

    class Counting(BinaryCrossEntropy):
        def __call__(self, truth, outputs, rows):
            tf.py_function(lambda n: counts.append(int(n)), [tf.shape(truth)[0]], [])
            return super().__call__(truth, outputs, rows)

    for drop_last in (False, True):
        options = {"drop_last": drop_last, "validation_objective": BinaryCrossEntropy()}
        training = loop.Training(network(), Counting(), optimisers.sgd(0.1, 0.9, 0.0), **options)
        fitted(tmp_path / str(drop_last), training, schedule=Schedule(1, None, 0.0))
    assert counts == [32, 32, 32, 4, 32, 32, 32]


def test_too_few_samples_for_a_batch_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="at least one whole batch"):
        fit_all(tmp_path, train=InMemory(X[:20], Y[:20], 3))


def test_an_optimiser_that_cannot_train_what_an_objective_owns_is_named(tmp_path):
    with pytest.raises(TypeError, match="Offsets owns variables"):
        loop.Training(network(), Offsets(), optimisers.sgd(0.1, 0.9, 0.0))


def test_a_loss_that_is_not_finite_is_said_before_a_metric_fails_of_it(tmp_path):
    schedule = replace(SCHEDULE, criterion=HIGHEST_MAP)
    with pytest.raises(FloatingPointError, match="lower learning rate"):
        fit(tmp_path, rate=1e30, schedule=schedule)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_with_mixed_precision_the_loss_is_computed_in_32_bits(tmp_path, policy):
    kinds = set()

    class Noting(AsymmetricLoss):
        def __call__(self, truth, outputs, rows):
            kinds.update([truth.dtype, outputs.dtype])
            return super().__call__(truth, outputs, rows)

    keras.mixed_precision.set_global_policy(policy)
    try:
        model = network(dropout=0.0)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    optimizer = Adam(0.01)
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**8)
    history = fitted(tmp_path, loop.Training(model, Noting(), optimizer)).history
    assert kinds == {tf.float32}
    assert history[-1]["val_loss"] < history[0]["val_loss"]
