"""A model file gives the scores of its run, whichever stage the run is of."""

import numpy as np
import pytest
from PIL import Image

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.transfer import model, runs, top_models
from multilabel.features import extraction, files, whitening
from multilabel.files import write_json
from multilabel.networks import backbones

BASE = {"network": "VGG16", "width": 1 / 16, "input_size": 32, "seed": 0}
CLASSES = ("bright", "dark")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def results(images, tmp_path_factory):
    """Labels and features of six images, and the weights of the base network."""
    folder = tmp_path_factory.mktemp("results")
    for number, pixels in enumerate(images):
        (folder / "images").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"images/{number}.png")
    truth = np.array([[1, 0], [0, 1]] * 3, np.uint8)
    labels = LabelMatrix(np.arange(6), [f"{number}.png" for number in range(6)], CLASSES, truth)
    labels.save(folder / "labels/val.h5")
    base = backbones.build(**BASE)
    base.save_weights(folder / "base.weights.h5")
    features = {("inet", pooling): folder / f"features/val_inet_{pooling}.h5" for pooling in ("77", "avg", "max")}
    reading = {"workers": 1, "damaged": "stop"}
    extraction.extract(
        labels,
        folder / "images",
        base,
        features,
        skipped=folder / "s.csv",
        batch_size=6,
        reading=reading,
        provenance={},
    )
    whitening.apply(
        whitening.fit(features["inet", "avg"], 0.01), features["inet", "avg"], folder / "features/val_inet_avgzca.h5"
    )
    return folder


@pytest.mark.parametrize(
    "name", ["inet_77_1x8bn_lr11_b4", "inet_avg_2x8d5_lr11_b4", "inet_max_1x8d5_lr11_b4", "inet_avgzca_1x8d5_lr11_b4"]
)
def test_a_top_model_becomes_a_file_with_its_base(results, images, name):
    run = runs.parse(name, "tiny_set")
    features = results / f"features/val_inet_{run.pooling}.h5"
    weights = results / "top_models" / run.name / "best.weights.h5"
    weights.parent.mkdir(parents=True)
    inputs = np.asarray(files.load(features).features[0]).size
    top_models.build(run, inputs, 2, seed=3).save_weights(weights)
    write_json(weights.with_name("run.json"), {"run": run.name})
    ((image_id, expected),) = top_models.predict(weights, [features], 2)
    predictions.save(predictions.path_of(results, run.name, "val"), image_id, expected)

    path = results / f"model/{run.name}.h5"
    whitened = whitening.fit(results / "features/val_inet_avg.h5", 0.01) if "zca" in name else None
    base_weights = str(results / "base.weights.h5")
    model.save(path, run.name, results=results, base=BASE, base_weights=base_weights, whitening=whitened)
    loaded = export.load(path)
    assert (loaded.run, loaded.classes, loaded.provenance["run"]) == (run.name, CLASSES, {"run": run.name})
    np.testing.assert_allclose(export.scorer(loaded)(images), expected, atol=2e-3 if "77" in name else 1e-5)
