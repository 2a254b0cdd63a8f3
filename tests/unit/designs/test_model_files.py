"""Model 1 and 2, networks of one label each, as model files for `multilabel predict`."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from multilabel import export
from multilabel.evaluation import decisions, predictions
from multilabel.experiments.designs import inference, model, networks, parts
from multilabel.experiments.designs.networks import Sizes
from multilabel.files import write_json

SIZES = {"input_size": 8, "filters": (2,), "hidden": 4, "dropout": (0.25, 0.5)}


@pytest.fixture
def made(make_split, tmp_path):
    """Write a design's model file; gives the model, images of val, and their scores by the networks."""
    split = make_split("val")

    def made(design):
        sizes = Sizes(**SIZES)
        models = [networks.build(1, sizes, seed=seed) for seed in range(3)]
        if design == "model2":
            models = [models[0], *(networks.share_convolutions(network, models[0]) for network in models[1:])]
        about = {"classes": split.labels.classes, "record": {}}
        parts.save(tmp_path / "first.h5", {0: models[0]}, **about)
        parts.save(tmp_path / "rest.h5", dict(enumerate(models[1:], 1)), **about, heads_only=design == "model2")
        pixels = split.samples.x.numpy()
        scores = tf.sigmoid(inference.one_after_the_other(models)(tf.cast(pixels, tf.float32) / 255)).numpy()
        predictions.save(tmp_path / "scores.h5", split.labels.image_id, scores)
        write_json(tmp_path / "run.json", {})
        model.save(
            tmp_path / "model.h5",
            design,
            [tmp_path / "first.h5", tmp_path / "rest.h5"],
            record=tmp_path / "run.json",
            validation_scores=tmp_path / "scores.h5",
            validation_labels=tmp_path / "val.h5",
            sizes=SIZES,
        )
        return export.load(tmp_path / "model.h5"), pixels, scores

    return made


@pytest.mark.parametrize("design", ["model1", "model2"])
def test_the_file_gives_the_scores_of_the_networks(design, made):
    found, pixels, expected = made(design)
    np.testing.assert_allclose(export.scorer(found)(pixels), expected, atol=1e-5)


def test_thresholds_are_those_of_validation_images(made, tmp_path):
    found, _, _ = made("model1")
    validation = predictions.load_with_truth(tmp_path / "scores.h5", tmp_path / "val.h5")
    expected = decisions.cardinality_thresholds(validation.scores, validation.truth)
    np.testing.assert_array_equal(found.thresholds, expected)


def test_model_2_stores_its_convolutions_once(made):
    found, _, _ = made("model2")
    with h5py.File(found.path) as file:
        stored = [layer["vars"].attrs["name"] for layer in file["layers"].values() if len(layer["vars"])]
    assert sorted(stored) == [
        *("block1_conv1", "block1_conv2"),
        *(f"{name}_{number}" for name in ("hidden", "logits") for number in range(3)),
    ]


@pytest.mark.parametrize("design", ["model1", "model2"])
def test_the_same_networks_give_the_same_bytes(design, made, tmp_path):
    made(design)
    first = (tmp_path / "model.h5").read_bytes()
    made(design)
    assert (tmp_path / "model.h5").read_bytes() == first


@pytest.mark.parametrize("design", ["model1", "model2"])
def test_it_becomes_a_savedmodel(design, made, tmp_path):
    found, _, _ = made(design)
    assert export.save_tensorflow(found, tmp_path / "exported") <= export.AGREEMENT


def test_a_file_of_other_networks_is_an_error(made):
    found, _, _ = made("model1")
    with pytest.raises(ValueError, match=r"model\.h5"):
        export.network(found._replace(run="model2"))
