import json

import h5py
import pytest

from multilabel import provenance
from multilabel.report import origins

RECORD = {
    "configuration": {"grid": {"epochs": 3}},
    "settings": {"seed": 7},
    "code": "0123456789abcdef",
    "threads": 2,
    "versions": {"python": "3.11.7", "tensorflow": "2.21.0"},
    "machine": {"system": "Linux x86_64", "processor": "A processor", "gpu": "A card"},
    "results": {"epochs": 2},
}
SHA = {name: 64 * digit for name, digit in [("labels", "1"), ("features", "2"), ("base", "3"), ("top", "4")]}


@pytest.fixture
def timing(tmp_path):
    path = tmp_path / "timing/run.csv"
    path.parent.mkdir()
    path.write_text("epoch,seconds\n0,1.5\n1,2.25\n")
    return path


def finished_run(folder, inputs):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(RECORD | {"inputs": inputs}))
    return folder / "run.json"


@pytest.fixture
def top_model(tmp_path):
    features = tmp_path / "features/train_zmuvs_avg.h5"
    features.parent.mkdir()
    with h5py.File(features, "w") as file:
        inputs = {"results/x/labels/train.h5": SHA["labels"], "resources/vgg16_notop.h5": SHA["base"]}
        file.attrs["provenance"] = json.dumps({"inputs": inputs})
    inputs = {str(features): SHA["features"], "results/x/labels/train.h5": SHA["labels"]}
    return finished_run(tmp_path / "top_models/run", inputs)


def test_a_row_tells_where_a_run_comes_from(top_model, timing):
    (row,) = origins.table([top_model], [timing]).to_dict("records")
    assert row == {
        "run": "run",
        "stage": "top_models",
        "configuration": provenance.key(RECORD["configuration"])[:12],
        "labels": 12 * "1",
        "features": 12 * "2",
        "weights": 12 * "3",
        "code": "0123456789ab",
        "seed": 7,
        "threads": 2,
        "python": "3.11.7",
        "tensorflow": "2.21.0",
        "machine": "Linux x86_64, A processor, A card",
        "epochs": 2,
        "seconds": 3.75,
    }


def test_a_run_of_another_seed_names_its_folder(tmp_path, timing):
    (row,) = origins.table([finished_run(tmp_path / "seeds/2/top_models/run", {})], [timing]).to_dict("records")
    assert row["stage"] == "seeds/2/top_models"


def test_a_fine_tuned_run_names_the_weights_of_base_and_top_model(tmp_path, timing):
    inputs = {
        "results/x/base/pretrained.weights.h5": SHA["base"],
        "results/x/labels/channel_statistics.json": 64 * "9",
        "results/x/labels/train.h5": SHA["labels"],
        "results/x/top_models/run/best.weights.h5": SHA["top"],
    }
    (row,) = origins.table([finished_run(tmp_path / "finetuned/run", inputs)], [timing]).to_dict("records")
    assert (row["weights"], row["features"]) == (f"{12 * '3'} {12 * '4'}", "")
    assert row["labels"] == f"{12 * '9'} {12 * '1'}"


def test_damaged_features_are_named(top_model, timing):
    path = top_model.parents[2] / "features/train_zmuvs_avg.h5"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"train_zmuvs_avg\.h5: expected HDF5 .*Remove it to make it again"):
        origins.table([top_model], [timing])
