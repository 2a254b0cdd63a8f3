"""A released checkpoint becomes a model file, by the command and as one that the command takes."""

import json
import pickle
from collections import OrderedDict

import keras
import numpy as np
import pytest
from PIL import Image
from torch_files import Tensor, save

from multilabel import cli, devices, export
from multilabel.experiments.query2label import model
from multilabel.networks import pytorch

ARCHITECTURE = model.Architecture(
    {"kind": "resnet", "network": "resnet18"}, 64, 3, 16, 24, 2, 1, 2, project=True, normalise="unit"
)
CONFIG = {"backbone": "resnet18", "img_size": 64, "nheads": 2, "orid_norm": True}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return model.build(ARCHITECTURE)


@pytest.fixture
def released(tmp_path, network, monkeypatch):
    """checkpoint.pkl, config_new.json and classes.txt in a folder; nothing of the devices is set."""
    monkeypatch.setattr(devices, "configure", lambda threads, gpu=True: None)
    state = OrderedDict((f"module.{key}", Tensor(value)) for key, value in pytorch.state(network).items())
    save(tmp_path / "checkpoint.pkl", {"state_dict": state, "best_mAP": np.float64(84.9)})
    (tmp_path / "config_new.json").write_text(json.dumps(CONFIG))
    (tmp_path / "classes.txt").write_text("dog\ncat\nhat\n")
    return tmp_path


def run(folder, *options):
    config, classes = ("--config", str(folder / "config_new.json")), ("--classes", str(folder / "classes.txt"))
    return cli.main(["import", str(folder / "checkpoint.pkl"), str(folder / "model.h5"), *config, *classes, *options])


def test_the_model_file_scores_as_the_checkpoint(released, network):
    assert run(released) == 0
    file = export.load(released / "model.h5")
    assert (file.experiment, file.preprocess, file.classes) == ("query2label", "unit", ("dog", "cat", "hat"))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    wanted = keras.ops.sigmoid(network(pixels.astype(np.float32) / 255)).numpy()
    np.testing.assert_allclose(export.scorer(file)(pixels), wanted, atol=1e-6)


def test_the_command_describes_it_and_predicts_with_it(released, capsys):
    assert run(released) == 0
    assert cli.main(["describe", str(released / "model.h5")]) == 0
    said = capsys.readouterr().out
    assert '"normalise": "unit"' in said
    assert '"nheads": 2' in said
    Image.new("RGB", (80, 60), (200, 30, 30)).save(released / "photo.png")
    assert cli.main(["predict", str(released / "model.h5"), str(released / "photo.png")]) == 0
    assert "dog" in capsys.readouterr().out


def cut_short(folder):
    content = (folder / "checkpoint.pkl").read_bytes()
    (folder / "checkpoint.pkl").write_bytes(content[: len(content) // 2])


def of_other_classes(folder):
    (folder / "classes.txt").write_text("dog\ncat\n")


def of_an_unknown_backbone(folder):
    state = OrderedDict({"query_embed.weight": Tensor(np.zeros((3, 16), np.float32))})
    save(folder / "checkpoint.pkl", {"state_dict": state})


def hostile(folder):
    class Hostile:
        def __reduce__(self):
            return (open, (str(folder / "ran"), "w"))

    (folder / "checkpoint.pkl").write_bytes(pickle.dumps({"state_dict": Hostile()}))


def contradicted(folder):
    (folder / "config_new.json").write_text(json.dumps({**CONFIG, "img_size": 448}))


def without_configuration(folder):
    (folder / "config_new.json").unlink()


WRONG = {
    cut_short: "checkpoint.pkl",
    of_other_classes: "expected 2 classes, found 3",
    of_an_unknown_backbone: "expected a Query2Label model",
    hostile: "checkpoint.pkl",
    contradicted: "img_size is 448, but the checkpoint's tensors are of 64",
    without_configuration: "config_new.json",
}


@pytest.mark.parametrize("damage", WRONG, ids=lambda damage: damage.__name__)
def test_bad_input_is_named_and_leaves_nothing(released, capsys, damage):
    damage(released)
    before = {path.name for path in released.iterdir()}
    assert run(released) == 2
    assert WRONG[damage] in capsys.readouterr().err
    assert {path.name for path in released.iterdir()} == before


def test_a_file_that_is_there_is_not_replaced(released, capsys):
    (released / "model.h5").write_text("mine")
    assert run(released) == 2
    assert "model.h5: expected a file that does not exist yet" in capsys.readouterr().err
    assert (released / "model.h5").read_text() == "mine"
