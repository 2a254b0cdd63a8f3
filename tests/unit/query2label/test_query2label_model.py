import json
from collections import OrderedDict
from dataclasses import replace

import keras
import numpy as np
import pytest
from torch_files import Tensor, save, save_older

from multilabel.experiments.query2label import model, transformer
from multilabel.networks import folding, pytorch

PARTS = {
    **{"image_size": 64, "classes": 3, "width": 16, "feedforward": 24, "heads": 2},
    **{"encoder_layers": 1, "decoder_layers": 2, "project": True, "normalise": "torch"},
}
RESNET = model.Architecture({"kind": "resnet", "network": "resnet18"}, **PARTS)
SWIN = model.Architecture(
    {"kind": "swin", "embed": 8, "patch": 4, "depths": (2, 2), "heads": (1, 2), "window": 4, "hidden": 4}, **PARTS
)
CVT = model.Architecture({"kind": "cvt", "widths": (8, 16, 24), "depths": (1, 2, 1), "hidden": 4}, **PARTS)
CONFIG = {"img_size": 64, "num_class": 3, "hidden_dim": 16, "dim_feedforward": 24, "nheads": 2, "enc_layers": 1}


@pytest.fixture(scope="module")
def trained():
    """A model and its tensors as PyTorch has them."""
    keras.utils.set_random_seed(0)
    network = model.build(RESNET)
    return network, pytorch.state(network)


@pytest.fixture
def files(tmp_path, trained):
    """Writes a checkpoint and its configuration, as the training script does; gives their paths."""

    def write(config=CONFIG, write=save, prefix="module.", **changed):
        tensors = {**trained[1], **changed}
        state = OrderedDict((prefix + key, Tensor(value)) for key, value in tensors.items() if value is not None)
        write(tmp_path / "checkpoint.pkl", {"epoch": 3, "state_dict": state, "best_mAP": np.float64(84.9)})
        (tmp_path / "config_new.json").write_text(json.dumps(config))
        return tmp_path / "checkpoint.pkl", tmp_path / "config_new.json"

    return write


# Checkpoints


@pytest.mark.parametrize("write", [save, save_older])
@pytest.mark.parametrize("prefix", ["module.", ""])
def test_a_checkpoint_becomes_the_model_that_it_is_of(files, trained, write, prefix):
    network, architecture = model.load(*files(write=write, prefix=prefix))
    assert architecture == RESNET
    images = np.random.default_rng(0).standard_normal((2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(network(images), trained[0](images))


def test_without_a_configuration_heads_and_normalisation_are_the_official_defaults(files):
    _, architecture = model.load(files()[0])
    assert (architecture.heads, architecture.normalise) == (4, "torch")


def test_the_configuration_tells_whether_pixels_are_normalised(files):
    assert model.load(*files({"orid_norm": True}))[1].normalise == "unit"
    assert model.load(*files({"orid_norm": False}))[1].normalise == "torch"


@pytest.mark.parametrize("architecture", [RESNET, SWIN, CVT, replace(SWIN, project=False)])
def test_the_architecture_is_read_off_the_shapes(architecture):
    if architecture.backbone["kind"] == "swin":  # of two stages: a place is 8 pixels
        architecture = replace(
            architecture, backbone=architecture.backbone | {"depths": (2, 1, 2, 1), "heads": (1, 2, 2, 4)}
        )
        architecture = replace(architecture, width=64 if not architecture.project else 16)
    shapes = {key: shape for key, (shape, _) in pytorch.shapes(model.build(architecture)).items()}
    assert model.read_architecture(shapes, {"nheads": 2}) == architecture


# Files that do not fit


CONTRADICTIONS = {
    "img_size": (448, "img_size is 448, but the checkpoint's tensors are of 64"),
    "num_class": (80, "num_class is 80, but the checkpoint's tensors are of 3"),
    "hidden_dim": (2048, "hidden_dim is 2048, but the checkpoint's tensors are of 16"),
    "dim_feedforward": (8192, "dim_feedforward is 8192, but the checkpoint's tensors are of 24"),
    "enc_layers": (2, "enc_layers is 2, but the checkpoint's tensors are of 1"),
    "dec_layers": (1, "dec_layers is 1, but the checkpoint's tensors are of 2"),
    "backbone": ("resnet101", "backbone is 'resnet101', but the checkpoint's tensors are of resnet18"),
    "nheads": (3, "nheads is 3, but the width of 16 is to be divided by it"),
    "pre_norm": (True, "pre_norm is true, which no released model is"),
}


@pytest.mark.parametrize("key", CONTRADICTIONS)
def test_a_configuration_that_contradicts_the_shapes_is_named(files, key):
    value, message = CONTRADICTIONS[key]
    checkpoint, config = files({key: value})
    with pytest.raises(ValueError, match=f"^{checkpoint}: {config}: {message}"):
        model.load(checkpoint, config)


@pytest.mark.parametrize("name", ["resnet101", "swin_L_384_22k", "CvT_w24"])
def test_backbones_of_the_configuration_are_compared_with_the_shapes(name):
    kinds = {"resnet101": RESNET, "swin_L_384_22k": SWIN, "CvT_w24": CVT}
    for other, architecture in kinds.items():
        backbone = dict(architecture.backbone) | ({"network": "resnet101"} if architecture is RESNET else {})
        if other == name:
            model._check_backbone(name, backbone, "config_new.json")
        else:
            with pytest.raises(ValueError, match=f"config_new.json: backbone is '{name}'"):
                model._check_backbone(name, backbone, "config_new.json")


def test_another_count_of_classes_is_named(files):
    checkpoint, config = files()
    with pytest.raises(ValueError, match=f"^{checkpoint}: expected 80 classes, found 3"):
        model.load(checkpoint, config, classes=80)


def test_an_unknown_backbone_is_named(files, trained):
    tresnet = {key: None for key in trained[1] if key.startswith("backbone.0.")}
    checkpoint, config = files(**tresnet, **{"backbone.0.body.conv1.0.weight": np.zeros((64, 48, 3, 3), np.float32)})
    with pytest.raises(
        ValueError, match=f"^{checkpoint}: unknown backbone: .*found backbone.0.body.conv1.0.weight .TRes"
    ):
        model.load(checkpoint, config)


def test_a_checkpoint_of_another_network_is_named(tmp_path):
    path = tmp_path / "resnet18.pth"
    save(path, {"conv1.weight": Tensor(np.zeros((64, 3, 7, 7), np.float32))})
    with pytest.raises(ValueError, match=f"^{path}: expected a Query2Label model: its tensor transformer.* is missing"):
        model.load(path)


def test_a_missing_tensor_is_named(files):
    checkpoint, config = files(**{"backbone.0.body.layer2.0.bn1.bias": None})
    with pytest.raises(ValueError, match=f"^{checkpoint}: .* lacks 1, backbone.0.body.layer2.0.bn1.bias"):
        model.load(checkpoint, config)


def test_a_tensor_of_another_shape_is_named(files):
    checkpoint, config = files(**{"fc.W": np.zeros((1, 4, 16), np.float32)})
    with pytest.raises(ValueError, match=rf"^{checkpoint}: fc.W: .*needs the shape \(1, 3, 16\), found \(1, 4, 16\)"):
        model.load(checkpoint, config)


def test_a_checkpoint_cut_short_is_named(files):
    checkpoint, config = files()
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=f"^{checkpoint}: cut short or damaged"):
        model.load(checkpoint, config)


def test_a_mask_that_the_architecture_does_not_compute_is_named(tmp_path):
    deeper = replace(SWIN, backbone=SWIN.backbone | {"depths": (2, 1, 1, 1), "heads": (1, 2, 2, 4)})
    tensors = pytorch.state(model.build(deeper))
    key = "backbone.0.layers.0.blocks.1.attn_mask"
    tensors[key] = np.zeros_like(tensors[key])
    save(tmp_path / "swin.pkl", {each: Tensor(value) for each, value in tensors.items()})
    with pytest.raises(ValueError, match=f"swin.pkl: {key}: not as query2label_swin computes it"):
        model.load(tmp_path / "swin.pkl", None)


# Models to train


def test_any_network_of_keras_can_be_the_backbone():
    backbone = keras.applications.MobileNet(weights=None, include_top=False, alpha=0.25, input_shape=(64, 64, 3))
    network = transformer.on(backbone, classes=3, width=32, feedforward=48)
    assert network.output_shape == (None, 3)
    assert network.get_layer(transformer.PROJECTION).kernel.shape == (1, 1, 256, 32)
    assert transformer.with_attention(network).output_shape[1] == (None, 2, 3, 2, 2)


def test_a_backbone_without_a_map_is_an_error():
    backbone = keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(64, 64, 3), classes=7)
    with pytest.raises(ValueError, match=r"expected a map N×H×W×channels, found mobilenet.* with \(None, 7\)"):
        transformer.on(backbone, classes=3, width=32, feedforward=48)


def test_the_stem_of_a_frozen_resnet_does_not_train(trained):
    trained_names = {variable.path.split("/")[0] for variable in trained[0].trainable_variables}
    first = ("backbone.0.body.conv1", "backbone.0.body.bn1", "backbone.0.body.layer1.")
    assert not any(name.startswith(first) for name in trained_names)
    assert any(name.startswith("backbone.0.body.layer2.") for name in trained_names)


def test_the_model_with_attention_can_be_folded(trained):
    network = transformer.with_attention(trained[0])
    images = np.random.default_rng(0).standard_normal((1, 64, 64, 3)).astype(np.float32)
    for found, wanted in zip(folding.fold(network)(images), network(images), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
