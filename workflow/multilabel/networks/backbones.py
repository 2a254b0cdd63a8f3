"""Base networks: a name and a weights file become a Keras model from normalised images to the last feature map."""

import difflib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from multilabel.files import DAMAGE, REMEDY
from multilabel.networks import applications, official, resnet
from multilabel.networks.names import TORCHVISION

_FIXED = (
    *("include_top", "weights", "input_shape", "input_tensor", "pooling", "name"),
    *("classes", "classifier_activation"),
)
"""Arguments of the networks that `build` decides on, or that only their classifier has."""


def build(
    network: str,
    *,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    width: float = 1.0,
    input_size: int = 224,
    seed: int = 0,
    top: bool = False,
) -> keras.Model:
    """A network of `keras.applications` or torchvision without its classifier: N×H×W×3 → N×h×w×channels.

    Args:
        network: its name, in any case: VGG16, MobileNet, ResNet50, …; or torchvision.resnet50 and its like.
        weights: a weights file; None: random weights.
        options: further arguments of the network, such as `alpha` of MobileNet.
        width: factor on the number of VGG16's filters. A narrow VGG16 has Keras' layers and names, but starts from He's
            initialisation: 13 layers of ReLU without normalisation do not train from Keras' default.
        input_size: height and width of the images.
        seed: of random weights.
        top: with its classifier, N×H×W×3 → N×1000.

    Raises:
        ValueError: there is no such network or option, or the weights do not fit; the message names the layer.
        FileNotFoundError: there is no such weights file.
    """
    if network.startswith(TORCHVISION):
        if options or width != 1:
            raise ValueError(f"base: {network} has neither options nor width, found options {options}, width {width}")
        keras.utils.set_random_seed(seed)
        name = network.removeprefix(TORCHVISION)
        return resnet.build(name, input_size=input_size, weights=weights, classes=1000 if top else None)
    constructor = applications.constructor(network)
    known = [name for name in inspect.signature(constructor).parameters if name not in _FIXED]
    for option in options or {}:
        if option not in known:
            raise ValueError(f"base.options: {network} has no option {option!r}; it has {', '.join(known) or 'none'}")
    keras.utils.set_random_seed(seed)
    if weights is not None and official.changes(network, weights):
        return official.built(network, weights, options=options or {}, input_size=input_size, top=top)
    model = constructor(include_top=top, weights=None, input_shape=(input_size, input_size, 3), **(options or {}))
    if width != 1:
        model = _narrow(model, width)
    if weights is not None:
        load_weights(model, Path(weights))
    return model


def with_blocks(base: keras.Model, blocks: Sequence[str], bag: str) -> tuple[keras.Model, dict[str, tuple[int, int]]]:
    """Features of all levels in one vector: what regions show at each block, and what the whole image shows.

    Each map is divided into four quadrants (of an odd side, the first half is the smaller) and each channel's maximum
    taken over each: four times its channels, from the upper left to the lower right (Dong et al. 2015, section 2).
    VGG16's five pooling layers and fc2 give (64 + 128 + 256 + 512 + 512) · 4 + 4,096 = 9,984 numbers.

    Args:
        base: of `build`.
        blocks: names of layers whose maps are N×h×w×channels; none: `last_of_each_size`.
        bag: the layer of the whole image, N×D; or `average`: the mean over the last map.

    Returns:
        The model, images → N×D, and the columns (start, end) of each block.

    Raises:
        ValueError: there is no such layer, or its output is no map or vector; the message names it.
    """
    parts = {name: _quadrants(_output(base, name, "blocks", 4)) for name in blocks or last_of_each_size(base)}
    if bag == "average":
        parts[bag] = keras.layers.GlobalAveragePooling2D()(base.output)
    else:
        parts[bag] = _output(base, bag, "bag", 2)
    ends = np.cumsum([part.shape[1] for part in parts.values()]).tolist()
    columns = dict(zip(parts, zip([0, *ends], ends, strict=False), strict=True))
    together = keras.layers.Concatenate()(list(parts.values())) if len(parts) > 1 else next(iter(parts.values()))
    return keras.Model(base.input, together, name=f"{base.name}_blocks"), columns


def last_of_each_size(base: keras.Model) -> list[str]:
    """The last layer of each size of map, the largest map first: what a network of any make has for blocks.

    Padding does not count, nor do maps of one place.
    """
    found: dict[int, str] = {}
    for layer in base.layers:
        shape = layer.output.shape
        if (
            len(shape) == 4
            and shape[1] > 1
            and not isinstance(layer, (keras.layers.ZeroPadding2D, keras.layers.InputLayer))
        ):
            found[shape[1]] = layer.name
    return [found[side] for side in sorted(found, reverse=True)]


def load_weights(model: keras.Model, path: Path) -> None:
    """Load a weights file, of today's Keras or of earlier ones, whatever it is called.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it does not fit; the message names the first layer that differs, with both shapes.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such weights file")
    try:
        with h5py.File(path, "r", locking=False) as file:
            legacy = "layer_names" in file.attrs or "model_weights" in file
            found = _legacy_weights(file) if legacy else _weights(file)
    except DAMAGE as error:
        raise ValueError(f"{path}: expected an HDF5 file of weights: {error}. {REMEDY}") from error
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    if legacy:
        found = _by_order(found, layers)
    for name, layer in layers.items():
        shapes = _shapes(layer.weights)
        if name not in found or _shapes(found[name]) != shapes:
            has = f"has shapes {_shapes(found[name])}" if name in found else "has no such layer"
            raise ValueError(f"{path}: layer {name} of {model.name} needs weights of shapes {shapes}; the file {has}")
    surplus = [name for name, weights in found.items() if weights and name not in layers]
    if surplus:
        raise ValueError(f"{path}: has weights of layers that {model.name} does not have: {', '.join(surplus[:5])}")
    for name, layer in layers.items():
        layer.set_weights(found[name])
        if hasattr(layer, "finalize_state"):  # what normalises computes with what follows from its weights
            layer.finalize_state()


def _output(base: keras.Model, name: str, key: str, rank: int) -> Any:
    """The output of a layer by its name."""
    names = [layer.name for layer in base.layers]
    if name not in names:
        near = ", ".join(difflib.get_close_matches(name, names, 3) or names[-3:])
        raise ValueError(f"{key}: {base.name} has no layer {name!r}; near: {near}")
    output = base.get_layer(name).output
    if len(output.shape) != rank:
        wanted = {4: "a map N×h×w×channels", 2: "a vector N×D"}[rank]
        raise ValueError(f"{key}: expected {wanted}; layer {name} of {base.name} has shape {tuple(output.shape)}")
    return output


def _quadrants(feature_map: Any) -> Any:
    """Maxima over the quadrants, N×(4·channels)."""
    if min(feature_map.shape[1:3]) < 2:
        raise ValueError(f"blocks: a map of {feature_map.shape[1]}×{feature_map.shape[2]} has no four quadrants")
    height, width = (side // 2 for side in feature_map.shape[1:3])
    rows = feature_map[:, :height], feature_map[:, height:]
    quadrants = [part for row in rows for part in (row[:, :, :width], row[:, :, width:])]
    return keras.ops.concatenate([keras.ops.max(part, axis=(1, 2)) for part in quadrants], axis=1)


def _narrow(model: keras.Model, width: float) -> keras.Model:
    """The same layers with fewer filters."""

    def narrow(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if isinstance(layer, keras.layers.Conv2D):
            config["filters"] = max(1, round(config["filters"] * width))
            config["kernel_initializer"] = "he_uniform"
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=narrow)


def _weights(file: h5py.File) -> dict[str, list[np.ndarray]]:
    """Layer → its weights, in a file of today's Keras, where groups are numbered by kind of layer."""
    groups = [group["vars"] for group in file.get("layers", {}).values() if "vars" in group]
    return {
        group.attrs["name"]: [group[index][()] for index in sorted(group, key=int)]
        for group in groups
        if "name" in group.attrs
    }


def _legacy_weights(file: h5py.File) -> dict[str, list[np.ndarray]]:
    """The same in a file of earlier Keras: the attributes `layer_names` and `weight_names` list what there is."""
    root = file.get("model_weights", file)
    names = [_text(name) for name in root.attrs["layer_names"]]
    return {name: [root[name][_text(key)][()] for key in root[name].attrs["weight_names"]] for name in names}


def _by_order(
    found: dict[str, list[np.ndarray]], layers: Mapping[str, keras.layers.Layer]
) -> dict[str, list[np.ndarray]]:
    """The same under the names of a model's layers, where order and shapes fit.

    Keras itself goes by order: in Inception and others it numbers layers by what a process has built before them.
    """
    held = [weights for weights in found.values() if weights]
    shapes = [_shapes(layer.weights) for layer in layers.values()]
    if layers.keys() <= found.keys() or [_shapes(weights) for weights in held] != shapes:
        return found
    return dict(zip(layers, held, strict=True))


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _shapes(weights: Iterable[Any]) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in weights]
