"""Training of the room's networks: what it leaves, and that a run that was killed ends in the same bytes."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.query2label import attention, heads, training
from multilabel.experiments.query2label.heads import Design
from multilabel.files import read_json
from multilabel.training import loop

BASE = {"network": "VGG16", "options": {}, "width": 0.0625, "input_size": 32, "seed": 0}
TRANSFORMER = {
    **{"width": 8, "feedforward": 8, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.1},
}
DESIGN = Design("transformer", BASE, "block3_pool", TRANSFORMER, 0, "all", frozen_norms=True)
SETTINGS = training.Settings(
    **{"epochs": 3, "patience": None, "batch_size": 4, "learning_rate": 0.01, "decay": 0.01, "average": 0.5},
    **{"gamma_negative": 2.0, "gamma_positive": 0.0, "clip": 0.0, "rand_augment": True, "cutout": 0.5},
    **{"mixed_precision": False, "memory_gb": 1.0, "preprocess": "inet"},
)
READING = {"workers": 1, "damaged": "stop", "orient": True}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Ten images to train on and six to choose by, of two labels."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    labels = {}
    for split, count in (("train", 10), ("val", 6)):
        (folder / split).mkdir()
        names = [f"{number}.png" for number in range(count)]
        for name in names:
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / split / name)
        matrix = LabelMatrix(np.arange(count) + 100, names, ("a", "b"), rng.integers(0, 2, (count, 2)))
        labels[split] = folder / f"{split}.h5"
        matrix.save(labels[split])
    folders = {split: str(folder / split) for split in labels}
    return training.images_of(labels, folders, [], 32, memory_gb=1.0, reading=READING), folder


def trained(folder, images, design=DESIGN, settings=SETTINGS):
    model = training.train(folder, "a_s0", design, 0, images, settings, weights=None, record={})
    training.predict(folder, "a_s0", model, design, images, settings, ["val"])
    return model


def content(folder):
    """All that a run leaves, its measured seconds apart."""
    files = (path for path in folder.rglob("*") if path.is_file() and "timing" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name[0] != "."}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("finished")
    trained(folder, images[0])
    return folder


def test_a_run_leaves_its_scores_and_a_model_file(finished, images):
    image_id, scores = predictions.load(finished / "predictions/a_s0/val.h5")
    assert image_id.tolist() == images[0].labels["val"].image_id.tolist()
    file = export.load(finished / "models/a_s0.h5")
    pixels = np.stack([np.asarray(Image.open(images[1] / "val" / f"{number}.png")) for number in range(6)])
    np.testing.assert_allclose(export.scorer(file)(pixels), scores, atol=1e-6)
    assert "best_is_average" in read_json(finished / "runs/a_s0/run.json")["results"]


@dataclass
class Dying:
    """A source that fails, as if the process were killed, at the start of an epoch and once more in its middle."""

    source: Any
    epochs: list

    def chunks(self, epoch, batch_size):
        if epoch in self.epochs:
            self.epochs.remove(epoch)
            raise KeyboardInterrupt
        yield from self.source.chunks(epoch, batch_size)


def test_killed_while_it_trains_with_a_moving_average_it_ends_in_the_same_bytes(
    tmp_path, images, finished, monkeypatch
):
    deaths = [1, 2]
    labelled = training.Labelled
    monkeypatch.setattr(training, "Labelled", lambda source, y: Dying(labelled(source, y), deaths))
    saved, states = loop.State._save, [0, 2]

    def save(state):  # and right after an epoch's state was written, before its log
        saved(state)
        if len(state.history) - 1 in states:
            states.remove(len(state.history) - 1)
            raise KeyboardInterrupt

    monkeypatch.setattr("multilabel.training.state.WRITTEN_EVERY", 0)
    monkeypatch.setattr(loop.State, "_save", save)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path, images[0])
    assert deaths == states == []
    trained(tmp_path, images[0])
    assert content(tmp_path) == content(finished)


def test_mixed_precision_trains(tmp_path, images):
    settings = replace(SETTINGS, mixed_precision=True, epochs=1)
    model = training.train(tmp_path, "a_s0", DESIGN, 0, images[0], settings, weights=None, record={})
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.compute_dtype == "float32" or model.layers[1].compute_dtype == "float16"
    assert np.isfinite(read_json(tmp_path / "runs/a_s0/run.json")["results"]["best_val_map"])


@pytest.mark.parametrize("kind", ["pooled", "finetuned"])
def test_what_it_is_compared_with_trains(tmp_path, images, kind):
    design = Design(kind, BASE, "", {}, 4, "all" if kind == "pooled" else 0, frozen_norms=True)
    before = heads.build(design, 2).get_layer("block1_conv1").get_weights()[0]
    model = trained(tmp_path, images[0], design, replace(SETTINGS, epochs=1))
    same = np.array_equal(model.get_layer("block1_conv1").get_weights()[0], before)
    assert same == (kind == "pooled")
    assert export.load(tmp_path / "models/a_s0.h5").base["design"]["kind"] == kind


def test_a_batch_larger_than_the_images_is_named(tmp_path, images):
    with pytest.raises(ValueError, match=r"query2label.batch_size: expected at most 10, the training images, found 64"):
        trained(tmp_path, images[0], settings=replace(SETTINGS, batch_size=64))


def test_an_unknown_layer_is_named_with_near_ones():
    with pytest.raises(ValueError, match=r"query2label.layer: vgg16 has no layer 'block4_conv9'; near: block4_conv"):
        heads.build(replace(DESIGN, layer="block4_conv9"), 2)


def test_normalisation_of_the_base_is_a_constant_where_asked():
    design = replace(
        DESIGN, base=BASE | {"network": "MobileNet", "width": 1.0, "options": {"alpha": 0.25}}, layer="", frozen=0
    )
    for frozen in (True, False):
        norm = heads.build(replace(design, frozen_norms=frozen), 2).get_layer("conv1_bn")
        assert norm.trainable is not frozen


def test_attention_adds_up_to_one_and_is_that_of_the_scores(finished, images):
    labels = images[0].labels["val"]
    (found,) = attention.look(finished / "models/a_s0.h5", labels, images[1] / "val", reading=READING, batch_size=6)
    assert found.maps.shape == (6, 1, 2, 4, 4)
    np.testing.assert_allclose(found.maps.sum(axis=(-1, -2)), 1, atol=1e-5)
    np.testing.assert_allclose(found.scores, predictions.load(finished / "predictions/a_s0/val.h5")[1], atol=1e-6)
