import csv
import os
import shutil
import signal
import subprocess
from dataclasses import replace

import forks
import h5py
import keras
import numpy as np
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import runs, top_models
from multilabel.training import loop, sources

RUN = "a_set_zmuvs_77_1x8d5_lr11_b16"
SETTINGS = {"epochs": 3, "patience": 5, "min_delta": 0.0, "momentum": 0.9, "decay": 1e-6, "seed": 3, "memory_gb": 0.0}
COUNTS = {"train": 300, "val": 90}
CLASSES = ("a", "b", "c")


def write_features(path, image_id, features):
    with h5py.File(path, "w") as file:
        file["image_id"] = image_id
        file.create_dataset("features", data=features, chunks=(7, features.shape[1]))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Features of two splits and labels of some more images, in another order."""
    folder, rng = tmp_path_factory.mktemp("project"), np.random.default_rng(0)
    for split, count in COUNTS.items():
        features = rng.normal(size=(count + 5, 20)).astype(np.float16)
        labels = features[:, :3] > 0.3
        image_id = rng.permutation(count + 5) + 1000
        names = [f"{number}.jpg" for number in image_id]
        LabelMatrix(image_id, names, CLASSES, labels).save(folder / f"{split}_labels.h5")
        kept = rng.permutation(count + 5)[:count]
        write_features(folder / f"{split}.h5", image_id[kept], features[kept])
    return folder


def train(project, place, *names, **changes):
    """Train runs; gives their folder."""
    top_models.train(
        {name: [str(project / "train.h5"), str(project / "val.h5")] for name in names or [RUN]},
        labels=[str(project / "train_labels.h5"), str(project / "val_labels.h5")],
        folder=project / place,
        settings=SETTINGS | changes,
        record={"configuration": {"grid": SETTINGS | changes}},
    )
    return project / place


def losses(folder, name=RUN, column="val_loss"):
    with (folder / name / "log.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def test_runs_are_trained_on_coverage_where_the_labels_have_it(project, tmp_path):
    for split in COUNTS:
        matrix = LabelMatrix.load(project / f"{split}_labels.h5")
        replace(matrix, coverage=matrix.labels * 0.2).save(tmp_path / f"{split}_labels.h5")
        shutil.copy(project / f"{split}.h5", tmp_path)
    folder = train(tmp_path, "runs", epochs=40)
    ((_, scores),) = top_models.predict(folder / RUN / "best.weights.h5", [tmp_path / "val.h5"], len(CLASSES))
    assert scores.max() < 0.5
    assert losses(folder)[-1] < losses(folder)[0]


# Runs


def test_runs_that_share_layers_have_the_bytes_of_those_trained_alone(project, tmp_path):
    """With another rate, another batch size, another regulariser between them."""
    names = [RUN, RUN.replace("lr11_b16", "lr52_b32"), RUN.replace("d5", "bn"), RUN.replace("b16", "b64")]
    together = train(project, tmp_path / "together", *names)
    for name in names:
        alone = train(project, tmp_path / "alone", name)
        for file in ("log.csv", "best.weights.h5"):
            assert (together / name / file).read_bytes() == (alone / name / file).read_bytes()


def test_features_read_in_windows_give_the_validation_loss_of_those_in_memory(project):
    """Trained nothing, the windows of validation give what all of it at once gives."""
    streamed = train(project, "streamed_0", epochs=1, momentum=0.0, decay=1e12)
    kept = train(project, "kept_0", epochs=1, momentum=0.0, decay=1e12, memory_gb=1.0)
    assert losses(streamed) == pytest.approx(losses(kept), rel=1e-2)


def test_training_on_features_read_in_windows_learns(project):
    found = losses(train(project, "streamed", epochs=12))
    assert found[-1] < 0.8 * found[0]


def test_scores_do_not_depend_on_how_features_are_read(project):
    weights = train(project, "streamed") / RUN / "best.weights.h5"
    ((ids, scores),) = top_models.predict(weights, [project / "val.h5"], 3, memory_gb=0.0)
    ((other_ids, others),) = top_models.predict(weights, [project / "val.h5"], 3)
    assert (ids == other_ids).all()
    assert scores.tobytes() == others.tobytes()


def test_images_without_features_are_left_out_and_the_others_keep_their_labels(project):
    record = top_models._labelled(str(project / "train.h5"), str(project / "train_labels.h5"), SETTINGS)
    (chunk, *more) = record.source.chunks(None, 512)
    assert not more
    assert ((chunk.x[:, :3] > 0.3) == chunk.y).all()


def plain(layers, regulariser):
    """The top model in Keras' own layers, without dropout."""
    model = keras.Sequential([keras.Input((20,))])
    for _ in range(layers):
        model.add(keras.layers.Dense(8))
        model.add(keras.layers.BatchNormalization() if regulariser == "bn" else keras.layers.Dropout(0.0))
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(3))
    return model


@pytest.mark.parametrize("regulariser", ["d0", "bn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_validation_losses_agree_with_keras_fit_of_the_same_initial_weights_and_order(project, layers, regulariser):
    name = f"a_set_zmuvs_77_{layers}x8{regulariser}_lr11_b16"
    found = losses(train(project, "kept", name, memory_gb=1.0, decay=0.01, epochs=5), name)
    (x, y), held_out = [
        next(iter(top_models._labelled(*pair, SETTINGS | {"memory_gb": 1.0}).source.chunks(None, 16)))[:2]
        for pair in ((str(project / f"{split}.h5"), str(project / f"{split}_labels.h5")) for split in ("train", "val"))
    ]
    model = plain(layers, regulariser)
    model.set_weights(top_models.build(runs.parse(name), 20, 3, seed=SETTINGS["seed"]).get_weights())
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.01), momentum=0.9, nesterov=True),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    expected = []
    for epoch in range(5):
        order = sources.permutation(len(y), SETTINGS["seed"], epoch)
        ordered = [np.asarray(values, np.float32)[order] for values in (x, y)]
        model.fit(*ordered, batch_size=16, shuffle=False, verbose=0)
        expected.append(model.evaluate(*[np.asarray(values, np.float32) for values in held_out], verbose=0))
    assert found == pytest.approx(expected, abs=1e-4)


class StoppedError(Exception):
    pass


def train_one_epoch_and_stop(project, place, monkeypatch, **changes):
    """Train until the first epoch's state is written; gives the state's files."""

    def stop(*arguments):
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_line", stop)
        with pytest.raises(StoppedError):
            train(project, place, **changes)
    return sorted((project / place / RUN).glob(".state-*"))


@pytest.mark.parametrize(
    "change", [{"momentum": 0.5}, {"decay": 1e-3}, {"seed": 4}, {"memory_gb": 1.0}, {"min_delta": 1.0}]
)
def test_a_state_of_other_hyper_parameters_is_not_used(project, monkeypatch, change):
    place = "_".join(change)
    (stale,) = train_one_epoch_and_stop(project, place, monkeypatch)
    (state,) = train_one_epoch_and_stop(project, place, monkeypatch, **change)
    assert state != stale
    assert losses(train(project, place, **change)) == losses(train(project, f"{place}_fresh", **change))


def test_a_state_of_other_features_is_not_used(project, monkeypatch, tmp_path):
    (stale,) = train_one_epoch_and_stop(project, "other", monkeypatch)
    shutil.copytree(project, tmp_path / "project")
    with h5py.File(tmp_path / "project" / "train.h5", "r+") as file:
        file["features"][0, 0] += 1
    (state,) = train_one_epoch_and_stop(tmp_path / "project", "other", monkeypatch)
    assert state.name != stale.name


# Killed

SETTINGS_OF_KILLED = SETTINGS | {"epochs": 8, "patience": 8}

TRAINED = f"""
import sys
from multilabel import devices
devices.configure(1, gpu=False)
from multilabel.experiments.transfer import top_models

project, folder, *names = sys.argv[1:]
features = [project + "/train.h5", project + "/val.h5"]
labels = [project + "/train_labels.h5", project + "/val_labels.h5"]
settings = {SETTINGS_OF_KILLED}
top_models.train(dict.fromkeys(names, features), labels=labels, folder=folder, settings=settings, record={{}})
"""


def train_apart(project, folder, names, kill_after=None):
    """Train in another process; it is killed once it told of some epochs. Gives what it told."""
    program = project / "trained.py"
    program.write_text(TRAINED)
    command = [forks.python(), "-u", program, project, folder, *names]
    told = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            told.append(line)
            if kill_after and sum(" epoch " in line for line in told) == kill_after:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == (-signal.SIGKILL if kill_after else 0)
    return told


def test_runs_on_windows_of_features_end_in_the_same_bytes_after_a_kill_at_any_moment(project):
    names = [RUN, RUN.replace("d5", "bn")]
    train_apart(project, project / "undisturbed", names)
    moment = np.random.default_rng().integers(2, 14)  # another one in each test, in the first run or the second
    train_apart(project, project / "killed", names, kill_after=int(moment))
    told = train_apart(project, project / "killed", names)
    assert any("goes on after" in line for line in told)
    for name in names:
        undisturbed, killed = project / "undisturbed" / name, project / "killed" / name
        assert sorted(path.name for path in killed.iterdir()) == ["best.weights.h5", "log.csv", "run.json"]
        for file in ("best.weights.h5", "run.json"):
            assert (killed / file).read_bytes() == (undisturbed / file).read_bytes()
        for column in ("loss", "acc", "val_loss", "val_acc"):
            assert losses(project / "killed", name, column) == losses(project / "undisturbed", name, column)
