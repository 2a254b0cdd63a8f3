import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from multilabel.config.designs import IMBALANCE, OUTPUTS
from multilabel.datasets.labels import IGNORED, LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.designs import (
    images,
    inference,
    losses,
    measuring,
    names,
    networks,
    parts,
    prediction,
    training,
)
from multilabel.experiments.designs.networks import Sizes
from multilabel.training import loop
from multilabel.training.objectives import IGNORED as LOSSES_IGNORE

CLASSES = ("red", "green", "blue")


@pytest.fixture
def splits(make_split):
    return make_split("train"), make_split("val", 9)


@pytest.fixture
def train(splits, settings, tmp_path):
    """Train some networks into a folder; gives the file."""

    def train(design, part, folder="out", first=None, **more):
        name = "first" if part is None else part[0]
        path = tmp_path / folder / f"{design}_{name}.h5"
        training.train_networks(
            design,
            part,
            splits=splits,
            settings=settings,
            record={"a": 1} | more,
            path=path,
            timing=tmp_path / folder / "timing" / f"{design}_{name}.csv",
            first=first,
        )
        return path

    return train


def test_jobs_share_the_networks_of_model_1(train, settings):
    sizes = Sizes(**settings["sizes"])
    paths = [train("model1", (job, 2)) for job in (0, 1)]
    logs = [pd.read_csv(path.with_suffix(".csv")) for path in paths]
    assert [log["label"].unique().tolist() for log in logs] == [["red", "blue"], ["green"]]
    assert (logs[0].groupby("network").size() == 2).all()
    models = parts.load(paths, sizes)
    assert [model.output_shape for model in models] == [(None, 1)] * 3
    assert not inference.shares_convolutions(models)
    assert not list(paths[0].parent.glob(".*"))  # nothing is left of what they were trained in


def test_more_jobs_than_networks_leave_files_without_any(train, settings):
    paths = [train("model1", (job, 5)) for job in range(5)]
    assert pd.read_csv(paths[4].with_suffix(".csv")).empty
    assert len(parts.load(paths, Sizes(**settings["sizes"]))) == 3


def test_all_networks_of_model_2_have_the_first_ones_convolutions_bit_by_bit(train, settings):
    sizes = Sizes(**settings["sizes"])
    first = train("model2", None)
    models = parts.load([first, *(train("model2", (job, 2), first=first) for job in (0, 1))], sizes)
    assert len(models) == 3
    assert inference.shares_convolutions(models)
    assert networks.digest(models[0]) == networks.digest(parts.load([first], sizes)[0])
    assert networks.digest(models[0]) != networks.digest(networks.build(1, sizes, seed=0))  # the first one was trained
    heads = {model.get_layer("hidden").get_weights()[0].tobytes() for model in models}
    assert len(heads) == 3


def test_a_network_that_is_missing_is_named(train, settings):
    path = train("model1", (1, 2))
    with pytest.raises(ValueError, match=r"model1_1\.h5: no network of the labels \[0\]"):
        parts.load([path], Sizes(**settings["sizes"]))


def test_networks_of_another_size_are_named(train, settings):
    path = train("model1", (0, 1))
    with pytest.raises(ValueError, match=r"model1_0\.h5: expected networks of Sizes"):
        parts.load([path], Sizes(**settings["sizes"] | {"hidden": 5}))


def test_a_job_that_is_killed_ends_in_the_same_bytes(train, monkeypatch):
    whole = train("model1", (0, 1), "whole")
    fit, calls = loop.fit, []

    def killed(*arguments, **options):
        if len(calls) == 1:
            raise KeyboardInterrupt
        calls.append(fit(*arguments, **options))
        return calls[-1]

    monkeypatch.setattr(loop, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        train("model1", (0, 1), "resumed")
    monkeypatch.setattr(loop, "fit", fit)
    resumed = train("model1", (0, 1), "resumed")
    assert resumed.read_bytes() == whole.read_bytes()


def test_model_1_and_2_become_runs_with_scores_in_one_call(train, settings, splits, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "SECONDS", 0)
    sizes, first = Sizes(**settings["sizes"]), train("model2", None)
    files = [first, train("model2", (0, 1), first=first)]
    prediction.assemble(
        files,
        [path.with_suffix(".csv") for path in files],
        {"val": (tmp_path / "val.h5", tmp_path / "val")},
        sizes=sizes,
        reading={"memory_gb": 1.0, "reading": {"workers": 1, "damaged": "stop", "orient": True}},
        folder=tmp_path / "scores",
        record=tmp_path / "run.json",
        cost=tmp_path / "cost.json",
    )
    image_id, scores = predictions.load(tmp_path / "scores/val.h5")
    assert image_id.tolist() == splits[1].labels.image_id.tolist()
    pixels = tf.cast(splits[1].samples.x, tf.float32) / 255
    expected = np.concatenate([tf.sigmoid(model(pixels)) for model in parts.load(files, sizes)], axis=1)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    record, cost = (json.loads((tmp_path / name).read_text()) for name in ("run.json", "cost.json"))
    ends = record["results"]["networks"]
    assert list(ends) == ["blue", "green", "red"]
    assert ends["red"]["epochs"] == 2
    assert cost["networks"] == 3
    convolutions = sum(layer.count_params() for layer in networks.convolutions(networks.build(1, sizes, seed=0)))
    expected = 3 * networks.build(1, sizes, seed=0).count_params() - 2 * convolutions
    assert cost["parameters"] == record["results"]["trained_parameters"] == expected


def test_every_loss_that_the_configuration_takes_has_a_title():
    assert set(names.LOSSES) == {names.PLAIN, *OUTPUTS, *IMBALANCE}


@pytest.mark.parametrize("loss", names.LOSSES)
def test_each_loss_trains_a_run_of_model_3_that_predicts(loss, splits, settings, tmp_path):
    run = "model3" if loss == "sigmoid_bce" else f"model3_{loss}"
    options = {"settings": settings, "record": {}, "folder": tmp_path / "runs", "timing": tmp_path / "timing"}
    training.train_runs([run], splits=splits, **options)
    assert json.loads((tmp_path / "runs" / run / "run.json").read_text())["specification"]["loss"] == loss
    weights = tmp_path / "runs" / run / "best.weights.h5"
    prediction.predict_run(run, weights, {"val": splits[1]}, tmp_path / "scores", Sizes(**settings["sizes"]))
    image_id, scores = predictions.load(tmp_path / "scores/val.h5")
    assert scores.shape == (9, 3)
    assert image_id.tolist() == list(range(100, 109))
    assert ((scores >= 0) & (scores <= 1)).all()


def test_balanced_sampling_needs_the_images_in_memory(make_split, settings, tmp_path):
    splits = make_split("train", memory_gb=0.0), make_split("val", 9)
    options = {"settings": settings, "record": {}, "folder": tmp_path, "timing": tmp_path}
    with pytest.raises(ValueError, match=r"needs the images in memory; raise designs\.memory_gb"):
        training.train_runs(["model3_balanced_sampling"], splits=splits, **options)


def test_images_that_stay_on_disk_train_the_same_network(make_split, settings, splits, tmp_path):
    on_disk = make_split("train2", memory_gb=0.0)
    assert isinstance(on_disk.samples, images.ImageFiles)
    source = on_disk.source(seed=0, label=1)
    (chunk,) = source.chunks(None, 8)
    np.testing.assert_array_equal(chunk.y, on_disk.labels.labels[:, 1:2])


def test_an_ignored_pair_does_not_train(make_split, settings, tmp_path):
    ignored = np.zeros((24, 3), bool)
    ignored[4:8, 0] = True
    split = make_split("train", ignored=ignored)
    assert split.targets[4:8, 0].tolist() == [IGNORED] * 4
    assert losses.objective("sigmoid_bce", split.targets, gamma=0).ignoring
    assert not losses.objective("sigmoid_bce", split.targets[:, 1:], gamma=0).ignoring
    assert IGNORED == LOSSES_IGNORE
    other = LabelMatrix.load(tmp_path / "train.h5")
    assert other.truth[4:8, 0].mask.all()


def test_pixels_are_from_0_to_1_and_flips_and_zooms_are_drawn():
    pixels = tf.constant(np.arange(4 * 6 * 6 * 3).reshape(4, 6, 6, 3) % 256, tf.uint8)
    plain = images.preparation()(pixels, tf.constant([0, 0]))
    np.testing.assert_allclose(plain, pixels.numpy() / 255, rtol=1e-6)
    flipped = images.preparation({"shear": 0.0, "zoom": 0.0, "flip": True})(pixels, tf.constant([0, 3])).numpy()
    mirrored = [np.allclose(image, own[:, ::-1], atol=1e-6) for image, own in zip(flipped, plain.numpy(), strict=True)]
    same = [np.allclose(image, own, atol=1e-6) for image, own in zip(flipped, plain.numpy(), strict=True)]
    assert all(a or b for a, b in zip(mirrored, same, strict=True))
    zoomed = images.preparation({"shear": 0.2, "zoom": 0.2, "flip": False})(pixels, tf.constant([0, 3])).numpy()
    assert not np.allclose(zoomed, plain)
    assert zoomed.min() >= 0
    assert zoomed.max() <= 1
