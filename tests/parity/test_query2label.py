"""Query2Label against numbers that the official code computed: every stored intermediate, and the logits."""

import gc
import hashlib
import json
import math
import os
import re
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest

from multilabel.experiments.query2label import model, transformer
from multilabel.networks import checkpoints, cvt, pytorch
from multilabel.networks.blocks import count

TOLERANCE = 2e-5
FOLDER = Path(os.environ.get("PARITY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data" / "parity"))
TINY = sorted(path.name for path in FOLDER.glob("q2l_*.pkl"))
KEYS = sorted(path.name for path in [*FOLDER.glob("*_keys.json"), *FOLDER.glob("q2l_keys_*.json")])


def numbers_of(name):
    """The file of numbers that belongs to a description: q2l_x_keys.json or q2l_keys_x.json and q2l_x.npz."""
    stem = name.removesuffix(".json").removesuffix("_keys").replace("q2l_keys_", "q2l_")
    names = [f"{stem}.npz", f"{stem.replace('q2l_', 'q2l_full_')}.npz"]
    return next((FOLDER / each for each in names if (FOLDER / each).exists()), None)


WHOLE = [name for name in KEYS if numbers_of(name)]


class Drawn:
    """A tensor whose numbers follow from its key; drawn when asked for, so that one is in memory at a time."""

    def __init__(self, key, shape):
        self.key, self.shape = key, tuple(shape)

    def __array__(self, dtype=None, copy=None):
        z = np.random.RandomState(zlib.crc32(self.key.encode())).standard_normal(self.shape)
        return np.asarray(self.scaled(z), dtype or np.float32)

    def scaled(self, z):
        key = self.key
        if key.endswith("num_batches_tracked"):
            return 0 * z
        if key.endswith("running_var"):
            return 1 + 0.5 * np.abs(z)
        if key.endswith("running_mean"):
            return 0.1 * z
        if key.endswith("relative_position_bias_table"):
            return 0.5 * z
        if key == "query_embed.weight" or key.endswith("cls_token"):
            return z
        if key == "fc.W":
            return z / math.sqrt(self.shape[-1])
        if len(self.shape) == 1 or key == "fc.b":
            if key.endswith("weight"):
                return (0.5 if key.endswith("bn3.weight") else 1) + 0.1 * z
            return 0.05 * z
        return z / math.sqrt(math.prod(self.shape[1:]))


def drawn(description):
    """The weights of a network, by key, and the hash of their bytes."""
    tensors, digest = {}, hashlib.sha256()
    for key, shape, kind in sorted(description["state_dict"]):
        if not is_computed(key):
            tensors[key] = Drawn(key, shape)
            digest.update(np.asarray(tensors[key], np.dtype(kind)).tobytes())
    return tensors, digest.hexdigest()


def images(stored, description):
    """What the network gets, which need not be stored: coarse squares and fine noise."""
    count, size = len(stored["logits"]), description["arguments"]["img_size"]
    rng = np.random.RandomState(stored["images_seed"])
    coarse = rng.standard_normal((count, 3, size // 32, size // 32)).repeat(32, 2).repeat(32, 3)
    made = (coarse + 0.5 * rng.standard_normal((count, 3, size, size))).astype(np.float32)
    assert hashlib.sha256(made.tobytes()).hexdigest() == str(stored["images_sha256"])
    assert "images" not in stored or (made == stored["images"]).all()
    return made


def is_computed(key):
    return key.endswith(("relative_position_index", "attn_mask", "backbone.1.pe"))


def computed(network, description):
    """What the architecture computes instead of drawing it."""
    entries = pytorch.entries(network)
    found = {key: entries[key] for key, _, _ in description["state_dict"] if is_computed(key)}
    return {key: np.asarray(each.variable if each.value is None else each.value) for key, each in found.items()}


def network(description):
    """The model of a description, with random weights."""
    shapes = {key: tuple(shape) for key, shape, _ in description["state_dict"]}
    architecture = model.read_architecture(shapes, description["arguments"])
    heads = re.search(r"NUM_HEADS ([\d ,\[\]]+)", description["note"])
    if heads and architecture.backbone["kind"] == "cvt":
        architecture.backbone["heads"] = tuple(map(int, re.findall(r"\d+", heads.group(1))))
    return model.build(architecture)


def intermediates(network, stored):
    """Every stored intermediate and the logits, as PyTorch lays them out: a model of all of them."""
    places = {
        "projected": lambda: network.get_layer(transformer.MAP).input,
        "encoder": lambda: network.get_layer(transformer.DECODER.format(0)).input[2],
        "decoder": lambda: network.get_layer(transformer.NORM).output,
        "logits": lambda: network.output,
        **{
            f"decoder_layer_{layer}": lambda layer=layer: network.get_layer(transformer.DECODER.format(layer)).output[0]
            for layer in range(9)
        },
    }
    if "backbone" in stored:
        projected = any(layer.name == transformer.PROJECTION for layer in network.layers)
        before = network.get_layer(transformer.PROJECTION if projected else transformer.MAP)
        places["backbone"] = lambda: before.input
    return keras.Model(network.input, {name: places[name]() for name in stored if name in places})


def compare(network, inputs, stored):
    """The largest difference of each stored intermediate."""
    whole = intermediates(network, list(stored))
    parts = [whole(one[None]) for one in inputs.transpose(0, 2, 3, 1)]  # one by one: eagerly, all maps are in memory
    assert "logits" in parts[0]
    differences = {}
    for name in parts[0]:
        value = np.concatenate([part[name] for part in parts])
        value = value.transpose(0, 3, 1, 2) if value.ndim == 4 else value
        differences[name] = np.abs(value - stored[name]).max()
    if "position" in stored:
        position = network.get_layer(transformer.POSITION).weights[0]
        differences["position"] = np.abs(np.asarray(position) - stored["position"]).max()
    return differences


@pytest.mark.parametrize("name", TINY)
def test_every_intermediate_of_a_tiny_checkpoint_is_that_of_the_official_code(parity, name):
    state = checkpoints.state_dict(parity / name)
    stored = np.load(parity / name.replace("_legacy", "").replace(".pkl", ".npz"))
    shapes = {key: tensor.shape for key, tensor in state.tensors.items()}
    feature_map = keras.Input(stored["feature_map"].transpose(0, 2, 3, 1).shape[1:])
    width, hidden = shapes["transformer.decoder.layers.0.linear2.weight"]
    logits = transformer.build(
        feature_map,
        classes=shapes["query_embed.weight"][0],
        width=width,
        feedforward=hidden,
        encoder_layers=count(shapes, f"{transformer.ENCODER}.linear1.weight"),
        decoder_layers=count(shapes, f"{transformer.DECODER}.linear1.weight"),
        project="input_proj.weight" in shapes,
    )
    tiny = keras.Model(feature_map, logits)
    assert {key: shape for key, (shape, _) in pytorch.shapes(tiny).items()} == shapes
    pytorch.load(tiny, state.tensors, state.path)
    differences = compare(tiny, stored["feature_map"], stored)
    assert max(differences.values()) < TOLERANCE, differences


@pytest.mark.parametrize("name", WHOLE)
def test_every_intermediate_of_a_whole_network_is_that_of_the_official_code(parity, name):
    description = json.loads((parity / name).read_text())
    stored = np.load(numbers_of(name))
    tensors, digest = drawn(description)
    assert digest == str(stored["weights_sha256"])
    whole = network(description)
    pytorch.load(whole, tensors | computed(whole, description), name)
    differences = compare(whole, images(stored, description), stored)
    keras.backend.clear_session()
    gc.collect()
    assert max(differences.values()) < TOLERANCE, differences


@pytest.mark.parametrize("name", KEYS)
def test_keys_shapes_and_types_are_those_of_the_official_code(parity, name):
    description = json.loads((parity / name).read_text())
    found = pytorch.shapes(network(description))
    keras.backend.clear_session()
    gc.collect()
    assert found == {key: (tuple(shape), kind) for key, shape, kind in description["state_dict"]}


def test_heads_of_a_cvt_follow_from_its_widths():
    assert cvt.default_heads((192, 768, 1024)) == (3, 12, 16)
    assert cvt.default_heads((16, 32, 48)) == (1, 2, 3)
