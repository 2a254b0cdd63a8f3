"""The chosen run of a study becomes a model file that gives its scores, and features of splits are found."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from multilabel import cli, export
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, predictions
from multilabel.experiments.single_positive import model, observation, samples, training
from multilabel.experiments.single_positive.observation import Observed
from multilabel.experiments.single_positive.runs import Study
from multilabel.features import extraction
from multilabel.files import read_json
from multilabel.networks import backbones

BASE = {"network": "VGG16", "width": 1 / 16, "input_size": 32, "seed": 0}
CLASSES = ("bright", "dark", "red")
COUNTS = {"train": 24, "val": 9, "test": 6}
READING = {"workers": 1, "damaged": "stop"}
SETTINGS = training.Settings(epochs=2, batch_sizes=[8], learning_rates=[1e-1, 1e-2], seeds=2, seed=3, expected=1.5)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Images, labels and features of three splits, each in a folder of its own, and the base network's weights."""
    folder = tmp_path_factory.mktemp("place")
    rng = np.random.default_rng(0)
    base = backbones.build(**BASE)
    base.save_weights(folder / "base.weights.h5")
    for number, (split, count) in enumerate(COUNTS.items()):
        (folder / split).mkdir()
        names = [f"{row}.png" for row in range(count)]
        for name in names:
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / split / name)
        truth = np.eye(3, dtype=np.uint8)[rng.integers(0, 3, count)] | (rng.random((count, 3)) < 0.3)
        labels = LabelMatrix(100 * number + np.arange(count), names, CLASSES, truth)
        labels.save(folder / f"{split}.h5")
        extraction.extract(
            labels,
            folder / split,
            base,
            {("inet", "avg"): folder / f"features/{split}.h5"},
            skipped=folder / f"features/{split}.csv",
            batch_size=8,
            reading=READING,
            provenance={},
        )
    return folder


def trained(place, folder, study):
    """The training of a study on validation images of their own."""
    matrix = LabelMatrix.load(place / "train.h5")
    seen = Observed(matrix.image_id, matrix.file_name, matrix.classes, observation.draw(matrix.labels))
    labels = {split: str(place / f"{split}.h5") for split in ("val", "test")}
    chosen_by = str(place / "val.h5")
    if study.mode == "linear":
        files = {split: str(place / f"features/{split}.h5") for split in COUNTS}
        given = samples.of_features(files, seen, labels, chosen_by)
    else:
        given = samples.of_images(
            {split: str(place / split) for split in COUNTS},
            seen,
            labels,
            chosen_by,
            base={**BASE, "weights": str(place / "base.weights.h5")},
            preprocess="inet",
            start=None,
            memory_gb=1.0,
            reading=READING,
            batch_size=8,
        )
    training.Training(given, SETTINGS, folder, {"of": "a test"}).study(study, seen.labels)


@pytest.mark.parametrize("mode", ["linear", "end_to_end"])
def test_the_file_gives_the_scores_of_the_chosen_run(place, tmp_path, mode, capsys):
    study = Study(mode, "an")
    trained(place, tmp_path, study)
    model.save(
        tmp_path / "model.h5",
        study,
        3,
        folder=tmp_path,
        labels=place / "val.h5",
        base=BASE,
        base_weights=str(place / "base.weights.h5") if mode == "linear" else None,
        preprocess="inet",
    )

    loaded = export.load(tmp_path / "model.h5")
    chosen = read_json(tmp_path / f"searches/{study.name}.json")["chosen"]
    assert (loaded.experiment, loaded.run, loaded.classes) == ("single_positive", f"{study.name}_s3", CLASSES)
    assert loaded.provenance["run"] == read_json(tmp_path / f"runs/{chosen['run']}/run.json")
    score = export.scorer(loaded)
    for split in ("val", "test"):
        matrix = LabelMatrix.load(place / f"{split}.h5")
        pixels = np.stack([np.asarray(Image.open(place / split / name)) for name in matrix.file_name])
        image_id, expected = predictions.load(predictions.path_of(tmp_path, loaded.run, split))
        assert image_id.tolist() == matrix.image_id.tolist()
        np.testing.assert_allclose(score(pixels), expected, rtol=0, atol=1e-5)
        if split == "val":
            assert (loaded.thresholds == decisions.cardinality_thresholds(expected, matrix.labels)).all()
    assert cli.main(["predict", str(tmp_path / "model.h5"), str(place / "test")]) == 0
    shown = capsys.readouterr().out
    assert all(f"{Path(place, 'test', name)}" in shown for name in matrix.file_name)


def test_weights_of_another_network_are_an_error(place, tmp_path):
    study = Study("linear", "an")
    trained(place, tmp_path, study)
    options = {"folder": tmp_path, "labels": place / "val.h5", "preprocess": "inet"}
    model.save(tmp_path / "a.h5", study, 3, base=BASE, base_weights=str(place / "base.weights.h5"), **options)
    other = export.load(tmp_path / "a.h5")._replace(base=BASE | {"width": 1 / 8})
    with pytest.raises(ValueError, match=r"a\.h5: layer block1_conv1"):
        export.network(other)


def test_validation_images_are_among_those_of_train_where_they_have_no_files_of_their_own(place, tmp_path):
    matrix = LabelMatrix.load(place / "train.h5")
    rows, held_out = observation.split(len(matrix))
    matrix.subset(held_out).save(tmp_path / "held_out.h5")
    part = matrix.subset(rows)
    seen = Observed(part.image_id, part.file_name, part.classes, observation.draw(part.labels))
    labels = {"val": str(tmp_path / "held_out.h5"), "test": str(place / "test.h5")}

    files = {split: str(place / f"features/{split}.h5") for split in ("train", "test")}
    found = samples.of_features(files, seen, labels, labels["val"])

    assert found.image_id["val"].tolist() == matrix.image_id[held_out].tolist()
    whole = samples.of_features(files | {"val": files["train"]}, seen, labels, labels["val"])
    for split in ("train", "val", "test"):
        assert np.array_equal(found.sources[split].x, whole.sources[split].x)
