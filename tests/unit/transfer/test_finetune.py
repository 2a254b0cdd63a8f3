import json
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import finetune, runs, top_models
from multilabel.images.normalise import normalise
from multilabel.networks import backbones

TOP_MODEL = "tiny_set_zmuvs_avg_1x8d5_lr11_b4"
NAME = f"{TOP_MODEL}_15_lr13_b4_hwrszf"
BASE = {"network": "VGG16", "width": 1 / 16, "input_size": 32, "seed": 0}
SETTINGS = {"epochs": 2, "patience": 5, "min_delta": 0.0, "momentum": 0.9, "decay": 0.0, "seed": 3, "memory_gb": 1.0}
READING = {"workers": 2, "damaged": "stop"}
COUNTS = {"train": 10, "val": 6}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A set of ten and six images of noise with two labels, and a top model of stage 1."""
    folder, rng = tmp_path_factory.mktemp("tiny"), np.random.default_rng(0)
    for split, count in COUNTS.items():
        (folder / split).mkdir()
        truth = rng.random((count, 2)) < 0.5
        for row, labels in enumerate(truth):
            pixels = rng.integers(0, 128, (32, 32, 3)) + 100 * labels[0]
            Image.fromarray(pixels.astype(np.uint8)).save(folder / split / f"{row}.png")
        ids = np.arange(count)[::-1] + 50
        LabelMatrix(ids, [f"{row}.png" for row in range(count)], ("bright", "none"), truth).save(folder / f"{split}.h5")
    weights = folder / "top_models" / TOP_MODEL / "best.weights.h5"
    weights.parent.mkdir(parents=True)
    top_models.build(runs.parse(TOP_MODEL), 32, 2, seed=0).save_weights(weights)
    return folder


def train(tiny, name=NAME, place="finetuned", **changes):
    """Fine-tune a run; gives its folder."""
    folder = tiny / place / name
    finetune.train(
        name,
        labels=(str(tiny / "train.h5"), str(tiny / "val.h5")),
        images=(str(tiny / "train"), str(tiny / "val")),
        top_model_weights=str(tiny / "top_models" / TOP_MODEL / "best.weights.h5"),
        base={**BASE, "weights": None},
        statistics=None,
        folder=folder,
        settings=SETTINGS | changes,
        reading=READING,
        record={"configuration": {"finetune": SETTINGS}},
    )
    return folder


def predict(tiny, folder, **options):
    """Image ids and scores of the images of val; with `perturb`, those of the perturbed images."""
    *_, found = finetune.predict(
        folder / "best.weights.h5",
        [(str(tiny / "val.h5"), str(tiny / "val"))],
        base={**BASE, "weights": None},
        statistics=None,
        reading=READING,
        **options,
    )
    return found


@pytest.fixture(scope="module")
def trained(tiny):
    return train(tiny)


# The model


def joined(name):
    """Base and top model of a run joined, and the two apart."""
    run, base = runs.parse(name), backbones.build(**BASE)
    head = top_models.build(run.top_model, 32, 2, seed=0)
    return SimpleNamespace(model=finetune.build(base, run, head), base=base, head=head)


@pytest.mark.parametrize(
    ("frozen", "trained"), [("15", {"block5_conv1", "block5_conv2", "block5_conv3"}), ("all", set())]
)
def test_frozen_layers_do_not_train_and_the_top_model_does(frozen, trained):
    model = joined(f"{TOP_MODEL}_{frozen}_lr11_b4").model
    assert {layer.name for layer in model.layers if layer.trainable_weights} == trained | {"hidden_1", "logits"}


def test_more_frozen_layers_than_there_are_is_an_error_that_says_how_many_there_are():
    with pytest.raises(
        ValueError, match=r"freezes 20 layers, and vgg16 has 19; expected a number from 0 to 19, or all"
    ):
        joined(f"{TOP_MODEL}_20_lr11_b4")
    joined(f"{TOP_MODEL}_19_lr11_b4")


@pytest.mark.parametrize(("pooling", "pool"), [("avg", np.mean), ("max", np.max)])
def test_the_whole_gives_what_the_top_model_gives_on_the_pooled_features_of_the_base(pooling, pool):
    parts = joined(f"tiny_set_zmuvs_{pooling}_1x8d5_lr11_b4_15_lr11_b4")
    pixels = np.random.default_rng(0).normal(size=(3, 32, 32, 3)).astype(np.float32)
    features = pool(parts.base(pixels).numpy(), axis=(1, 2))
    np.testing.assert_allclose(parts.model(pixels), parts.head(features), rtol=1e-4, atol=1e-6)


def test_with_whole_feature_maps_the_top_model_takes_them_in_the_order_of_the_features():
    run = runs.parse("tiny_set_zmuvs_77_1x8d5_lr11_b4_15_lr11_b4")
    base = backbones.build(**BASE | {"input_size": 64})
    head = top_models.build(run.top_model, 2 * 2 * 32, 2, seed=0)
    pixels = np.random.default_rng(0).normal(size=(3, 64, 64, 3)).astype(np.float32)
    expected = head(base(pixels).numpy().reshape(3, -1))
    np.testing.assert_allclose(finetune.build(base, run, head)(pixels), expected, rtol=1e-4, atol=1e-6)


# Preparation


def test_training_images_are_augmented_and_validation_images_are_not():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    plain = normalise(pixels, "inet").numpy()
    step = np.array([0, 4], np.int32)
    assert (finetune.preparation("inet", None)(pixels, step).numpy() == plain).all()
    assert (finetune.preparation("inet", None, "hwrszf")(pixels, step).numpy() != plain).any()


def test_every_step_draws_other_augmentations():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    prepare = finetune.preparation("inet", None, "hwrszf", seed=1)
    first, again, second = (prepare(pixels, np.array([0, step], np.int32)).numpy() for step in (0, 0, 1))
    assert (first == again).all()
    assert (first != second).any()


def test_channel_statistics_are_read_where_the_normalisation_needs_them(tmp_path):
    path = tmp_path / "statistics.json"
    path.write_text(json.dumps({"mean": [1.0, 2.0, 3.0], "std": [2.0, 2.0, 2.0]}))
    found = finetune.preparation("zmuvf", str(path))(np.full((1, 2, 2, 3), 7, np.uint8), np.zeros(2, np.int32))
    assert found.numpy()[0, 0, 0].tolist() == [3, 2.5, 2]


# Training and predictions


def test_a_run_leaves_its_log_weights_and_record_and_no_state(trained):
    assert sorted(path.name for path in trained.iterdir()) == ["best.weights.h5", "log.csv", "run.json"]
    record = json.loads((trained / "run.json").read_text())
    assert record["specification"]["augmentation"] == "hwrszf"
    assert [path.rsplit("/", 1)[1] for path in record["inputs"]] == ["best.weights.h5", "train.h5", "val.h5"]


def test_predictions_of_a_run_have_the_validation_loss_of_its_best_epoch(tiny, trained):
    image_id, scores = predict(tiny, trained)
    labels = LabelMatrix.load(tiny / "val.h5")
    assert image_id.tolist() == labels.image_id.tolist()
    assert scores.dtype == np.float32
    loss = -np.mean(np.log(np.where(labels.labels, scores, 1 - scores)))
    assert loss == pytest.approx(pd.read_csv(trained / "log.csv").val_loss.min(), rel=1e-4)


def test_perturbed_predictions_are_others_and_follow_from_their_seed(tiny, trained):
    _, plain = predict(tiny, trained)
    first, again, other = (predict(tiny, trained, perturb=seed)[1] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != plain).any()
    assert (first != other).any()


def test_a_run_starts_from_the_weights_of_its_top_model(tiny):
    folder = train(tiny, f"{TOP_MODEL}_all_lr16_b4", epochs=1)  # a rate at which weights stay as they are, nearly
    network = backbones.build(**BASE)
    run = runs.parse(f"{TOP_MODEL}_all_lr16_b4")
    model = finetune.build(network, run, top_models.build(run.top_model, 32, 2, seed=9))
    model.load_weights(folder / "best.weights.h5")
    start = top_models.load(tiny / "top_models" / TOP_MODEL / "best.weights.h5", 32, 2)
    np.testing.assert_allclose(
        model.get_layer("hidden_1").get_weights()[0], start.get_layer("hidden_1").get_weights()[0], atol=1e-4
    )


def test_images_read_in_each_epoch_give_the_losses_of_those_kept_in_memory(tiny, trained):
    streamed = pd.read_csv(train(tiny, place="streamed", memory_gb=0.0) / "log.csv")
    kept = pd.read_csv(trained / "log.csv")
    np.testing.assert_allclose(streamed, kept, rtol=1e-5)


def test_the_name_of_a_top_model_is_an_error(tiny):
    with pytest.raises(ValueError, match=rf"^run name {TOP_MODEL}: expected a fine-tuned run"):
        train(tiny, TOP_MODEL)
    assert not (tiny / "finetuned" / TOP_MODEL).exists()


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_weights_of_a_top_model_that_does_not_fit_are_named(tiny, tmp_path):
    weights = tmp_path / TOP_MODEL / "best.weights.h5"
    weights.parent.mkdir()
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(weights)
    with pytest.raises(ValueError, match=rf"^{weights}: layer hidden_1 of top_model needs"):
        top_models.load(weights, 32, 2)
