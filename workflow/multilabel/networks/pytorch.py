"""Weights of PyTorch in networks of Keras: which tensor of a file is which variable, and how its axes lie.

A layer bears the name of its module in PyTorch, so that `layer1.0.conv1` and `kernel` make `layer1.0.conv1.weight`.
Layers of this project (`blocks.Block`) name their variables as PyTorch does and keep its axes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np

from multilabel.networks.blocks import Block, FrozenBatchNormalization

_NAMES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_KERNELS: dict[type[keras.layers.Layer], tuple[int, ...]] = {
    keras.layers.DepthwiseConv2D: (2, 3, 0, 1),  # (channels, 1, height, width) → (height, width, channels, 1)
    keras.layers.Conv2D: (2, 3, 1, 0),  # (out, in, height, width) → (height, width, in, out)
    keras.layers.Dense: (1, 0),  # (out, in) → (in, out)
}
"""PyTorch's axes of a kernel in Keras' order."""


class Entry(NamedTuple):
    """One tensor of a network in PyTorch: its shape and type there, and what it is here.

    `variable` with PyTorch's `axes` in Keras' order; or, without a variable, what the network computes itself: `value`
    must be what a file holds, None: it may hold anything.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    variable: keras.Variable | None = None
    axes: tuple[int, ...] = ()
    value: np.ndarray | None = None


class Array(Protocol):
    """What `load` takes: an array, or a tensor that still lies in its file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Known before the numbers are read."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray: ...


def entries(model: keras.Model) -> dict[str, Entry]:
    """Every tensor of a network under its key in PyTorch."""
    return {key: entry for layer in model.layers for key, entry in _of_layer(layer)}


def shapes(model: keras.Model) -> dict[str, tuple[tuple[int, ...], str]]:
    """The keys of a network in PyTorch, each with shape and type there."""
    return {key: (entry.shape, entry.dtype) for key, entry in entries(model).items()}


def load(
    model: keras.Model,
    tensors: Mapping[str, Array],
    source: str | Path,
    *,
    ignored: Sequence[str] = (),
) -> None:
    """Take all weights of a network from tensors in PyTorch's layout, one after the other.

    Args:
        model: its layers are named as PyTorch's modules.
        tensors: key → tensor, as `checkpoints.state_dict` gives them.
        source: the file they come from, for messages.
        ignored: beginnings of keys that the network need not have, such as those of a classifier.

    Raises:
        ValueError: a key is missing, of another shape, or unknown; the message names file and key.
    """
    wanted = entries(model)
    missing = [key for key in wanted if key not in tensors]
    if missing:
        raise ValueError(
            f"{source}: not of {model.name}: of its {len(wanted)} tensors the file lacks {len(missing)}, "
            f"{_some(missing)}; it has {_some(list(tensors))}"
        )
    surplus = [key for key in tensors if key not in wanted and not key.startswith(tuple(ignored))]
    if surplus:
        raise ValueError(f"{source}: not of {model.name}: it has no {_some(surplus)}")
    for key, entry in wanted.items():
        if tuple(tensors[key].shape) != entry.shape:
            raise ValueError(
                f"{source}: {key}: {model.name} needs the shape {entry.shape}, found {tuple(tensors[key].shape)}"
            )
    for key, entry in wanted.items():
        if entry.variable is not None:
            value = np.asarray(tensors[key])
            entry.variable.assign(value.transpose(entry.axes) if entry.axes else value)
        elif entry.value is not None and not np.array_equal(np.asarray(tensors[key]), entry.value):
            raise ValueError(f"{source}: {key}: not as {model.name} computes it from its image size and window")


def state(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a network in PyTorch's layout: what `load` takes back."""
    found = {}
    for key, entry in entries(model).items():
        if entry.variable is not None:
            value = np.array(np.asarray(entry.variable))  # not a view of it
            found[key] = value.transpose(np.argsort(entry.axes)) if entry.axes else value
        else:
            found[key] = np.zeros(entry.shape, entry.dtype) if entry.value is None else entry.value
    return found


def _of_layer(layer: keras.layers.Layer) -> Iterator[tuple[str, Entry]]:
    """The tensors of a layer, by key."""
    if isinstance(layer, Block):
        for variable in layer.weights:
            yield f"{layer.name}.{variable.name}", Entry(tuple(variable.shape), variable=variable)
        for name, value in layer.buffers().items():
            yield f"{layer.name}.{name}", Entry(value.shape, value.dtype.name, value=value)
        return
    axes = next((axes for kind, axes in _KERNELS.items() if isinstance(layer, kind)), ())
    for variable in layer.weights:
        turned = axes if variable.name == "kernel" else ()
        shape = tuple(variable.shape)
        in_pytorch = tuple(shape[turned.index(axis)] for axis in range(len(turned))) if turned else shape
        yield (
            f"{layer.name}.{_NAMES.get(variable.name, variable.name)}",
            Entry(in_pytorch, variable=variable, axes=turned),
        )
    if isinstance(layer, keras.layers.BatchNormalization) and not isinstance(layer, FrozenBatchNormalization):
        yield f"{layer.name}.num_batches_tracked", Entry((), "int64")


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", …" if len(keys) > 3 else "")
