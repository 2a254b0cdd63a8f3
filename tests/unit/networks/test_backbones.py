import h5py
import keras
import numpy as np
import pytest

from multilabel.networks import backbones
from multilabel.networks.names import LAYERS, NETWORKS

NARROW = {"width": 1 / 16, "input_size": 32}


@pytest.fixture(scope="module")
def narrow():
    return backbones.build("VGG16", **NARROW, seed=1)


@pytest.fixture(scope="module")
def mobilenet_weights(shared_data):
    return shared_data / "weights" / "mobilenet_2_5_224_tf_no_top.h5"


def same_weights(one, other):
    return all((a == b).all() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def write_legacy(model, path):
    """A weights file as the official ones are: two attributes list the layers and their weights."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{'Wb'[index]}_1:0" for index in range(len(layer.weights))]
            group.attrs["weight_names"] = np.array([name.encode() for name in names], "S40")
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name] = weight


def write_current(model, path):
    """A weights file of today's Keras."""
    saved = path.with_name("saved.weights.h5")
    model.save_weights(saved)
    saved.replace(path)


# Architecture


def test_the_list_of_names_is_that_of_keras():
    """Configurations are checked by it without importing Keras."""
    assert set(NETWORKS) == {name for name, made in vars(keras.applications).items() if callable(made)}


def test_the_numbers_of_layers_are_those_of_keras():
    options = {"include_top": False, "weights": None, "input_shape": (32, 32, 3)}
    assert LAYERS["vgg16"] == len(keras.applications.VGG16(**options).layers)
    assert LAYERS["vgg19"] == len(keras.applications.VGG19(**options).layers)


def test_vgg16_has_the_layers_and_shapes_of_keras_own():
    reference = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3))
    found = backbones.build("VGG16")
    assert [layer.name for layer in found.layers[1:]] == [layer.name for layer in reference.layers[1:]]
    for ours, theirs in zip(found.layers, reference.layers, strict=True):
        assert type(ours) is type(theirs)
        assert ours.output.shape == theirs.output.shape
        assert [weight.shape for weight in ours.weights] == [weight.shape for weight in theirs.weights]
    assert found.count_params() == 14_714_688
    assert found.output_shape == (None, 7, 7, 512)


def test_a_narrow_vgg16_has_the_same_layers_with_fewer_filters(narrow):
    names = [f"block{block}_conv{conv + 1}" for block, count in enumerate((2, 2, 3, 3, 3), 1) for conv in range(count)]
    convolutions = {layer.name: layer.filters for layer in narrow.layers if isinstance(layer, keras.layers.Conv2D)}
    assert list(convolutions) == names
    assert list(convolutions.values()) == [4, 4, 8, 8, 16, 16, 16, 32, 32, 32, 32, 32, 32]


def test_the_last_feature_map_follows_from_the_input_size():
    assert backbones.build("VGG16", width=1 / 16, input_size=96).output_shape == (None, 3, 3, 32)


def test_other_networks_are_found_by_name_in_any_case():
    found = backbones.build("mobilenet", options={"alpha": 0.25}, input_size=64)
    assert found.output_shape == (None, 2, 2, 256)


def test_random_weights_follow_from_the_seed(narrow):
    assert same_weights(backbones.build("VGG16", **NARROW, seed=1), narrow)
    assert not same_weights(backbones.build("VGG16", **NARROW, seed=2), narrow)


# Weights


@pytest.mark.parametrize("write", [write_legacy, write_current])
@pytest.mark.parametrize("name", ["vgg16_notop.h5", "vgg16.weights.h5", "vgg16.hdf5"])
def test_files_of_todays_and_of_earlier_keras_load_whatever_they_are_called(narrow, tmp_path, write, name):
    write(narrow, tmp_path / name)
    assert same_weights(backbones.build("VGG16", **NARROW, weights=tmp_path / name, seed=2), narrow)


def test_real_mobilenet_weights_load_as_keras_loads_them(mobilenet_weights):
    found = backbones.build("MobileNet", options={"alpha": 0.25}, weights=mobilenet_weights)
    reference = keras.applications.MobileNet(
        alpha=0.25, include_top=False, weights=mobilenet_weights, input_shape=(224, 224, 3)
    )
    assert same_weights(found, reference)


def test_weights_of_another_width_are_an_error_that_names_the_layer_with_both_shapes(narrow, tmp_path):
    write_legacy(narrow, tmp_path / "narrow.h5")
    message = (
        r"narrow.h5: layer block1_conv1 of vgg16 needs weights of shapes \[\(3, 3, 3, 8\), \(8,\)\]; "
        r"the file has shapes \[\(3, 3, 3, 4\), \(4,\)\]"
    )
    with pytest.raises(ValueError, match=message):
        backbones.build("VGG16", width=1 / 8, input_size=32, weights=tmp_path / "narrow.h5")


def test_the_first_layer_that_differs_is_named(narrow, tmp_path):
    path = tmp_path / "narrow.h5"
    write_legacy(narrow, path)
    with h5py.File(path, "r+") as file:
        del file["block3_conv2/block3_conv2_b_1:0"]
        file["block3_conv2/block3_conv2_b_1:0"] = np.zeros(99)
    with pytest.raises(ValueError, match=r"layer block3_conv2 .*\(16,\)\]; the file has .*\(99,\)\]"):
        backbones.build("VGG16", **NARROW, weights=path)


def test_weights_of_another_network_are_an_error_that_names_the_layer(narrow, mobilenet_weights):
    with pytest.raises(ValueError, match=rf"^{mobilenet_weights}: layer block1_conv1 of vgg16.*has no such layer"):
        backbones.build("VGG16", weights=mobilenet_weights)


def test_weights_with_a_classifier_are_an_error_that_names_its_layers(narrow, tmp_path):
    x = keras.layers.Flatten()(narrow.output)
    whole = keras.Model(narrow.input, keras.layers.Dense(5, name="fc1")(x))
    write_legacy(whole, tmp_path / "whole.h5")
    with pytest.raises(ValueError, match=r"whole.h5: has weights of layers that vgg16 does not have: fc1$"):
        backbones.build("VGG16", **NARROW, weights=tmp_path / "whole.h5")


def test_a_missing_weights_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"^{tmp_path}/none.h5: no such weights file"):
        backbones.build("VGG16", **NARROW, weights=tmp_path / "none.h5")


@pytest.mark.parametrize("content", [b"", b"<html>404 Not Found</html>", None], ids=["empty", "HTML", "truncated"])
def test_a_file_that_is_no_whole_hdf5_is_named(narrow, tmp_path, content):
    path = tmp_path / "weights.h5"
    write_legacy(narrow, path)
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    with pytest.raises(ValueError, match=rf"^{path}: expected an HDF5 file of weights: .*Remove it to make it"):
        backbones.build("VGG16", **NARROW, weights=path)


def test_weights_that_are_listed_but_not_there_are_an_error_that_names_the_file(narrow, tmp_path):
    path = tmp_path / "weights.h5"
    write_legacy(narrow, path)
    with h5py.File(path, "r+") as file:
        del file["block5_conv3"]
    with pytest.raises(ValueError, match=rf"^{path}: expected an HDF5 file of weights: .*block5_conv3"):
        backbones.build("VGG16", **NARROW, weights=path)


# Names


def test_an_unknown_network_is_an_error_with_near_names():
    with pytest.raises(ValueError, match=r"^base.network: .*found 'mobilnet'; near: MobileNet, MobileNetV2"):
        backbones.build("mobilnet")


@pytest.mark.parametrize("option", ["depth", "weights", "include_top", "pooling"])
def test_an_unknown_option_is_an_error_that_lists_the_known_ones(option):
    with pytest.raises(ValueError, match=rf"^base.options: .*no option '{option}'; it has alpha, depth_multiplier"):
        backbones.build("MobileNet", options={option: 1})
