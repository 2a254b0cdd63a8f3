"""Training of top models beside Keras' `fit`: single epochs, and the whole grid beside one script per run.

Expected, on the same cores: an epoch of 20,000 × 512 at least 1.8 times as fast as `fit` for 1x1024 at batch
32 and 1.2 times for 2x4096 at batch 128; the grid of 36 runs at 2,000 × 512, 3 epochs, at least 3 times as fast as 36
scripts with `fit`, two at a time. Of those, six run (one of each shape, over all batch sizes and learning rates), and
their time counts six times.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
from comparison import Row, in_own_process, in_turn, report

CORES = 2
GRID = "zmuvs_avg_{1,2}x{1024,2048,4096}d5_lr{11,52}_b{32,64,128}"
PEERS = [(1, 1024, 0.1, 32), (1, 2048, 0.05, 64), (1, 4096, 0.1, 128), (2, 1024, 0.05, 128), (2, 2048, 0.1, 32)]
PEERS += [(2, 4096, 0.05, 64)]
SETTINGS = {"patience": 10, "min_delta": 5e-5, "momentum": 0.9, "decay": 1e-6, "seed": 0, "memory_gb": 2.0}

JOB = f"""
import json, sys
from multilabel import devices
devices.configure(1, gpu=False)
from multilabel.experiments.transfer import top_models

folder, *names = sys.argv[1:]
files = [[f"{{folder}}/{{kind}}_{{split}}.h5" for split in ("train", "val")] for kind in ("features", "labels")]
settings, runs = {SETTINGS | {"epochs": 3}}, folder + "/runs"
top_models.train(dict.fromkeys(names, files[0]), labels=files[1], folder=runs, settings=settings, record={{}})
"""

PEER = """
import os, sys
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
import h5py, keras

folder, layers, nodes, rate, batch = sys.argv[1], *map(float, sys.argv[2:])
data = []
for split in ("train", "val"):
    with h5py.File(f"{folder}/features_{split}.h5") as x, h5py.File(f"{folder}/labels_{split}.h5") as y:
        data.append((x["features"][()], y["labels"][()].astype("float32")))
model = keras.Sequential([keras.Input((512,))])
for _ in range(int(layers)):
    model.add(keras.layers.Dense(int(nodes), activation="relu"))
    model.add(keras.layers.Dropout(0.5))
model.add(keras.layers.Dense(80, activation="sigmoid"))
rates = keras.optimizers.schedules.InverseTimeDecay(rate, 1, 1e-6)
model.compile(keras.optimizers.SGD(rates, momentum=0.9, nesterov=True), "binary_crossentropy", metrics=["accuracy"])
name = f"{folder}/peer_{int(layers)}x{int(nodes)}"
model.fit(*data[0], batch_size=int(batch), epochs=3, validation_data=data[1], verbose=0, callbacks=[
    keras.callbacks.EarlyStopping(patience=10, min_delta=5e-5),
    keras.callbacks.ModelCheckpoint(name + ".weights.h5", save_best_only=True, save_weights_only=True),
    keras.callbacks.CSVLogger(name + ".csv"),
])
"""


def rows(rounds: int = 3) -> Iterator[Row]:
    """Single epochs beside `fit` and beside what matrix products alone would take, and the grid."""
    for name, expected in (("1x1024d5_lr11_b32", 1.8), ("2x4096d5_lr11_b128", 1.2)):
        found = in_own_process(__file__, f"zmuvs_avg_{name}", str(rounds))
        ours, fit, product = (
            [found[f"{what} {number}"] for number in range(rounds)] for what in ("ours", "fit", "product")
        )
        work = f"epoch of 20,000 × 512, {name}"
        yield Row(work, "fit", ours, fit, expected=expected)
        yield Row(work, "as one large matrix product", ours, [found["ideal"] * value for value in product])
    yield grid()


def epochs(name: str, rounds: int, count: int = 20_000) -> None:
    """Report epochs of one run, by our loop and by `fit`, in turn in the same process."""
    import keras
    import tensorflow as tf

    from multilabel.experiments.transfer import runs, top_models
    from multilabel.training import optimisers, steps
    from multilabel.training.objectives import BinaryCrossEntropy
    from multilabel.training.sources import InMemory

    run = runs.parse(f"random_features_{name}")
    x, y = random_data(count, seed=0)
    source = InMemory(tf.constant(x), tf.constant(y), 0)
    ours = top_models.build(run, 512, 80, seed=0)
    optimizer = optimisers.sgd(run.learning_rate, 0.9, 1e-6)
    optimizer.build(ours.trainable_variables)
    train = steps.compile_training(ours, BinaryCrossEntropy(), optimizer, batch_size=run.batch_size, seed=0)
    theirs = plain_model(run.layers, run.nodes)
    theirs.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.InverseTimeDecay(run.learning_rate, 1, 1e-6), momentum=0.9, nesterov=True
        ),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    square = tf.random.stateless_normal((3000, 3000), [0, 1])

    def our_epoch() -> None:
        (chunk,) = source.chunks(0, run.batch_size)
        train(*chunk, tf.constant(0), tf.constant(0)).numpy()

    def their_epoch() -> None:
        theirs.fit(x, y.astype(np.float32), batch_size=run.batch_size, verbose=0)

    def product() -> None:
        tf.linalg.matmul(square, square)[0, 0].numpy()

    weights = 512 * run.nodes + (run.layers - 1) * run.nodes**2 + 80 * run.nodes
    taken = in_turn({"ours": our_epoch, "fit": their_epoch, "product": product}, rounds)
    # Seconds that the products of an epoch would take at the rate of a large one: what no loop can beat.
    ideal = 6 * count * weights / (2 * 3000**3)
    report(
        **{f"{name} {number}": value for name, values in taken.items() for number, value in enumerate(values)},
        ideal=ideal,
    )


def grid(count: int = 2_000) -> Row:
    """The grid as the workflow runs it, one thread a job, and scripts with `fit`; both two at a time."""
    from multilabel.config.patterns import expand
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.experiments.transfer import runs

    with tempfile.TemporaryDirectory() as place:
        for split, number in (("train", count), ("val", count // 4)):
            x, y = random_data(number, seed=len(split))
            with h5py.File(f"{place}/features_{split}.h5", "w") as file:
                file["features"], file["image_id"] = x, np.arange(number)
            names = [f"{row}.jpg" for row in range(number)]
            LabelMatrix(np.arange(number), names, [f"class {j}" for j in range(80)], y).save(
                f"{place}/labels_{split}.h5"
            )
        names = [runs.parse(name, "random_features").name for name in expand([GRID])]
        jobs = [names[start::CORES] for start in range(CORES)]
        ours = at_once([[sys.executable, "-c", JOB, place, *job] for job in jobs])
        peers = at_once([[sys.executable, "-c", PEER, place, *map(str, peer)] for peer in PEERS])
        assert len(list(Path(place).glob("runs/*/best.weights.h5"))) == 36
    work = f"grid of 36 runs, {count:,} × 512, 3 epochs"
    return Row(work, "36 scripts with fit, two at a time", [ours], [len(names) / len(PEERS) * peers], expected=3)


def plain_model(layers: int, nodes: int):  # type: ignore[no-untyped-def]
    """The top model as one writes it in Keras."""
    import keras

    model = keras.Sequential([keras.Input((512,))])
    for _ in range(layers):
        model.add(keras.layers.Dense(nodes, activation="relu"))
        model.add(keras.layers.Dropout(0.5))
    model.add(keras.layers.Dense(80))
    return model


def random_data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features count×512 and labels count×80, 2.9 per sample."""
    rng = np.random.default_rng(seed)
    return rng.random((count, 512), dtype=np.float32), (rng.random((count, 80)) < 2.9 / 80).astype(np.uint8)


def at_once(commands: list[list[str]]) -> float:
    """Seconds of all processes, as many at a time as there are cores."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CORES) as pool:
        for done in pool.map(lambda command: subprocess.run(command, capture_output=True, text=True), commands):
            if done.returncode:
                raise RuntimeError(done.stderr)
    return time.perf_counter() - started


if __name__ == "__main__":
    from multilabel import devices

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    devices.configure(CORES, gpu=False)
    import keras

    keras.utils.set_random_seed(0)  # `fit` needs it where operations are deterministic
    epochs(sys.argv[1], int(sys.argv[2]))
