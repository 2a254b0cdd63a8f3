import json

import keras
import numpy as np
import pytest
from torch_files import Tensor, save

from multilabel.networks import pytorch, resnet

PARAMETERS = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160}
"""Of torchvision's networks with their classifiers."""


@pytest.fixture(scope="module")
def drawn():
    """A ResNet-18 of random weights, statistics of batch normalisation too, and its tensors as PyTorch has them."""
    network = resnet.build("resnet18", input_size=64, classes=5)
    rng = np.random.default_rng(0)
    tensors = {}
    for key, (shape, kind) in pytorch.shapes(network).items():
        value = np.abs(rng.standard_normal(shape)) + 0.5 if key.endswith("var") else 0.1 * rng.standard_normal(shape)
        tensors[key] = np.asarray(value).astype(kind)
    pytorch.load(network, tensors, "drawn")
    return network, tensors


def convolve(x, kernel, stride):
    """PyTorch's convolution in float64: x channels×H×W, kernel out×in×k×k, padded by half of k on all sides."""
    size = kernel.shape[-1]
    x = np.pad(x.astype(np.float64), ((0, 0), (size // 2,) * 2, (size // 2,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]
    return np.einsum("chwij,ocij->ohw", windows, kernel)


def normalise(x, tensors, name):
    """Batch normalisation in inference."""
    weight, bias, mean, variance = (
        tensors[f"{name}.{part}"].astype(np.float64)[:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias


# Architecture


@pytest.mark.parametrize("network", PARAMETERS)
def test_networks_have_as_many_parameters_as_torchvisions(network):
    made = resnet.build(network, input_size=32, classes=1000)
    running = ("running_mean", "running_var", "num_batches_tracked")
    shapes = {key: shape for key, (shape, _) in pytorch.shapes(made).items() if not key.endswith(running)}
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == PARAMETERS[network]


def test_resnet_50_has_the_keys_of_torchvisions():
    found = pytorch.shapes(resnet.build("resnet50", input_size=32, classes=1000))
    assert len(found) == 320
    assert found["conv1.weight"] == ((64, 3, 7, 7), "float32")
    assert found["layer1.0.downsample.0.weight"] == ((256, 64, 1, 1), "float32")
    assert found["layer4.2.conv2.weight"] == ((512, 512, 3, 3), "float32")
    assert found["bn1.num_batches_tracked"] == ((), "int64")
    assert found["fc.weight"] == ((1000, 2048), "float32")


def test_frozen_resnet_101_has_the_keys_of_the_official_code(shared_data):
    stored = json.loads((shared_data / "parity" / "q2l_keys_r101.json").read_text())["state_dict"]
    found = pytorch.shapes(resnet.build("resnet101", input_size=64, frozen=True, prefix="backbone.0.body."))
    assert found == {key: (tuple(shape), kind) for key, shape, kind in stored if key.startswith("backbone.0.body.")}


def test_a_basic_block_with_a_stride_computes_what_numpy_does(drawn):
    network, tensors = drawn
    x = np.random.default_rng(1).standard_normal((64, 16, 16)).astype(np.float32)
    y = np.maximum(normalise(convolve(x, tensors["layer2.0.conv1.weight"], 2), tensors, "layer2.0.bn1"), 0)
    y = normalise(convolve(y, tensors["layer2.0.conv2.weight"], 1), tensors, "layer2.0.bn2")
    shortcut = convolve(x, tensors["layer2.0.downsample.0.weight"], 2)
    wanted = np.maximum(y + normalise(shortcut, tensors, "layer2.0.downsample.1"), 0)
    block = keras.Model(network.get_layer("layer1.1.relu").output, network.get_layer("layer2.0.relu").output)
    found = np.asarray(block(x.transpose(1, 2, 0)[None], training=False))[0].transpose(2, 0, 1)
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_the_stem_computes_what_numpy_does(drawn):
    network, tensors = drawn
    x = np.random.default_rng(2).standard_normal((3, 64, 64)).astype(np.float32)
    y = np.maximum(normalise(convolve(x, tensors["conv1.weight"], 2), tensors, "bn1"), 0)
    padded = np.pad(y, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    wanted = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2].max((-1, -2))
    stem = keras.Model(network.input, network.get_layer("maxpool").output)
    found = np.asarray(stem(x.transpose(1, 2, 0)[None], training=False))[0].transpose(2, 0, 1)
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_bottleneck_has_its_stride_in_the_3x3_convolution():
    network = resnet.build("resnet50", input_size=64)
    strides = {name: network.get_layer(f"layer2.0.{name}").strides for name in ("conv1", "conv2", "downsample.0")}
    assert strides == {"conv1": (1, 1), "conv2": (2, 2), "downsample.0": (2, 2)}
    assert network.output_shape == (None, 2, 2, 2048)


def test_frozen_normalisation_is_the_same_in_training_and_stem_and_layer1_do_not_train():
    network = resnet.build("resnet18", input_size=32, frozen=True)
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(network(x, training=True), network(x, training=False))
    trained = {variable.path.split("/")[0] for variable in network.trainable_variables}
    assert {name.split(".")[0] for name in trained} == {"layer2", "layer3", "layer4"}


def test_batch_normalisation_that_is_not_frozen_trains():
    network = resnet.build("resnet18", input_size=32)
    before = network.get_layer("bn1").get_weights()
    network(np.ones((2, 32, 32, 3), np.float32), training=True)
    assert (network.get_layer("bn1").get_weights()[2] != before[2]).any()


def test_an_unknown_network_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"expected one of resnet18, .*, found 'resnet51'"):
        resnet.build("resnet51", input_size=32)


# Weights


def test_weights_of_pytorch_load_with_and_without_their_classifier(drawn, tmp_path):
    network, tensors = drawn
    save(tmp_path / "resnet18.pth", {key: Tensor(value) for key, value in tensors.items()})
    x = np.random.default_rng(3).standard_normal((1, 64, 64, 3)).astype(np.float32)
    whole = resnet.build("resnet18", input_size=64, classes=5, weights=tmp_path / "resnet18.pth")
    np.testing.assert_array_equal(whole(x), network(x))
    base = resnet.build("resnet18", input_size=64, weights=tmp_path / "resnet18.pth")
    np.testing.assert_array_equal(base(x), keras.Model(network.input, network.get_layer("layer4.1.relu").output)(x))


def test_weights_of_another_network_are_an_error_that_names_file_and_keys(drawn, tmp_path):
    path = tmp_path / "resnet18.pth"
    save(path, {key: Tensor(value) for key, value in drawn[1].items()})
    message = f"^{path}: not of resnet34: of its 216 tensors the file lacks 96, layer1.2.conv1.weight, .*; it has conv1"
    with pytest.raises(ValueError, match=message):
        resnet.build("resnet34", input_size=64, weights=path)


def test_keys_that_the_network_does_not_have_are_an_error(drawn, tmp_path):
    path = tmp_path / "resnet18.pth"
    save(path, {key: Tensor(value) for key, value in (drawn[1] | {"layer5.0.weight": np.zeros(1)}).items()})
    with pytest.raises(ValueError, match=f"^{path}: not of resnet18: it has no layer5.0.weight"):
        resnet.build("resnet18", input_size=64, weights=path)


def test_a_tensor_of_another_shape_is_an_error_that_names_the_key_with_both_shapes(drawn, tmp_path):
    path = tmp_path / "resnet18.pth"
    save(path, {key: Tensor(value) for key, value in (drawn[1] | {"fc.bias": np.zeros(7, np.float32)}).items()})
    with pytest.raises(ValueError, match=rf"^{path}: fc.bias: resnet18 needs the shape \(5,\), found \(7,\)"):
        resnet.build("resnet18", input_size=64, classes=5, weights=path)


def test_the_state_of_a_network_is_what_it_was_loaded_from(drawn):
    network, tensors = drawn
    found = pytorch.state(network)
    assert list(found) == list(tensors)
    for key, value in found.items():
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(value, tensors[key], err_msg=key)


@pytest.mark.parametrize("network", ["resnet18", "resnet50", "resnet101"])
def test_a_network_is_recognised_by_its_shapes(network):
    shapes = {
        key: shape for key, (shape, _) in pytorch.shapes(resnet.build(network, input_size=32, prefix="x.")).items()
    }
    assert resnet.recognise(shapes, "x.") == network
    assert resnet.recognise(shapes) is None


def test_a_resnet_of_another_depth_is_named():
    shapes = {key: shape for key, (shape, _) in pytorch.shapes(resnet.build("resnet18", input_size=32)).items()}
    shorter = {key: shape for key, shape in shapes.items() if not key.startswith("layer3.1.")}
    with pytest.raises(ValueError, match=r"found a ResNet of \(2, 2, 1, 2\) blocks"):
        resnet.recognise(shorter)
