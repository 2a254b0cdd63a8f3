import hashlib

import h5py
import keras
import numpy as np
import pytest

from multilabel.datasets.published import SOURCES
from multilabel.networks import backbones, official


def found(network, *, input_size=224, top=False, **options):
    return official.remote_file(network, options=options, input_size=input_size, top=top)


def write_legacy(model, path):
    """A weights file as Keras publishes them."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [f"{index}".encode() for index in range(len(layer.weights))]
            for index, weight in enumerate(layer.get_weights()):
                group[f"{index}"] = weight


# One of each form in which Keras' modules hold addresses and checksums.
@pytest.mark.parametrize(
    ("network", "file", "checksum"),
    [
        ("ResNet50", "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8"),
        (
            "DenseNet121",
            "densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
            "30ee3e1110",
        ),
        (
            "MobileNetV3Small",
            "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
            "d3e8ec802a",
        ),
        ("efficientnetv2b0", "efficientnet_v2/efficientnetv2-b0_notop.h5", "893217f2bb"),
        (
            "ConvNeXtTiny",
            "convnext/convnext_tiny_notop.h5",
            "d547c096ca",
        ),
        ("MobileNetV2", "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", ""),
    ],
)
def test_the_file_is_the_one_that_keras_would_fetch(network, file, checksum):
    remote = found(network)
    assert remote.address == f"https://storage.googleapis.com/tensorflow/keras-applications/{file}"
    assert (remote.md5 or remote.sha256).startswith(checksum)


@pytest.mark.parametrize("top", [True, False])
def test_those_of_vgg16_are_the_tables(top):
    remote = found("VGG16", top=top)
    assert remote == SOURCES[remote.name]._replace(size=None)


def test_mobilenets_follow_width_and_size():
    assert found("MobileNet", alpha=0.5, input_size=160).name == "mobilenet_5_0_160_tf_no_top.h5"


def test_a_classifier_of_one_size_serves_for_others():
    assert found("Xception", top=True, input_size=96).name == "xception_weights_tf_dim_ordering_tf_kernels.h5"


def test_options_without_weights_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^base.weights is official, .* of MobileNet with the options alpha: 0\.3: "):
        found("MobileNet", alpha=0.3)


def test_nothing_stays_replaced():
    from keras.src.utils import file_utils

    before = file_utils.get_file
    found("VGG16")
    assert file_utils.get_file is before


def test_layers_that_keras_numbers_by_itself_load_in_their_order(tmp_path):
    saved = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(75, 75, 3))
    write_legacy(saved, tmp_path / "inception.h5")
    model = backbones.build("InceptionV3", weights=tmp_path / "inception.h5", input_size=75, seed=1)
    assert [layer.name for layer in model.layers] != [layer.name for layer in saved.layers]
    pixels = np.random.default_rng(0).random((1, 75, 75, 3), np.float32)
    np.testing.assert_allclose(model(pixels), saved(pixels), rtol=1e-5, atol=1e-6)


def test_efficientnet_is_built_as_keras_builds_it_for_its_own_weights(tmp_path, monkeypatch):
    path = tmp_path / "efficientnetb0_notop.h5"
    saved = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    saved.layers[2].set_weights([np.full(3, 0.4), np.full(3, 0.2), np.array(0)])
    write_legacy(saved, path)
    monkeypatch.setitem(official.efficientnet.WEIGHTS_HASHES, "b0", ("", hashlib.md5(path.read_bytes()).hexdigest()))
    model = backbones.build("EfficientNetB0", weights=path, input_size=32)
    monkeypatch.setattr(official.file_utils, "get_file", lambda *_, **__: str(path))
    theirs = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(32, 32, 3))
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(model(pixels), theirs(pixels), rtol=1e-5, atol=1e-6)


def test_what_normalises_does_so_with_the_weights_of_the_file(tmp_path):
    path = tmp_path / "own.h5"
    saved = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    saved.layers[2].set_weights([np.full(3, 0.4), np.full(3, 0.2), np.array(0)])
    write_legacy(saved, path)
    saved.load_weights(path)
    model = backbones.build("EfficientNetB0", weights=path, input_size=32)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(model(pixels), saved(pixels), rtol=1e-5, atol=1e-6)
