"""The tutorial's network (paper 004, sections 4.2, 5.2 and 6.2), which its three designs use in three ways.

Model 1 is a network of one output for each of the L labels. Model 2 is the same, but the convolutions of the first
label's network are copied into all others and frozen. Model 3 is one network of L outputs.

For 100×100 images and as many outputs as there are labels, 20 in the tutorial, the parameters of the layers are:

    convolutions   3·3·3·32 + 32 = 896, 3·3·32·32 + 32 = 9,248, 3·3·32·64 + 64 = 18,496, 3·3·64·64 + 64 = 36,928
    hidden         23·23·64·512 + 512 = 17,334,784
    logits         512·outputs + outputs = 513 for one, 10,260 for 20

So a network of Model 1 has 17,400,865 and Model 3 has 17,410,612, nearly all in the hidden layer.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras

FIRST_OF_HEAD = "flatten"
"""The layer after the convolutions: what is before it is what Model 2 shares."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of a network; the tutorial's are the defaults.

    `input_size` is height and width in pixels; `filters` those of each block of two convolutions; `hidden` the nodes of
    the dense layer; `dropout` the rates after each block and after the dense layer.
    """

    input_size: int = 100
    filters: Sequence[int] = (32, 64)
    hidden: int = 512
    dropout: Sequence[float] = (0.25, 0.5)


def build(outputs: int, sizes: Sizes, *, seed: int) -> keras.Model:
    """The network: images from 0 to 1, N×size×size×3, → logits N×outputs.

    A block is a convolution that keeps the size of its map, one that does not, and maximum pooling; convolutions are
    3×3. The tutorial ends in a sigmoid, which here is part of the loss: see `objectives`.

    Raises:
        ValueError: the images are too small for so many blocks.
    """
    smallest = _smallest(len(sizes.filters))
    if sizes.input_size < smallest:
        raise ValueError(
            f"designs.input_size: {len(sizes.filters)} blocks need images of at least {smallest}×{smallest} pixels, "
            f"found {sizes.input_size}"
        )
    inputs = keras.Input((sizes.input_size, sizes.input_size, 3), name="images")
    logits = _head(_convolved(inputs, sizes, seed), outputs, sizes, seed)
    return keras.Model(inputs, logits, name="design")


def build_together(count: int, sizes: Sizes, *, shared: bool) -> keras.Model:
    """Networks of one output each as one: images from 0 to 1, N×size×size×3, → logits N×count.

    The layers of network n are called as in `build`, with `_n` behind; convolutions that all share have their own name.
    """
    inputs = keras.Input((sizes.input_size, sizes.input_size, 3), name="images")
    maps = _convolved(inputs, sizes, 0) if shared else None
    each = []
    for number in range(count):
        x = _convolved(inputs, sizes, 0, f"_{number}") if maps is None else maps
        each.append(_head(x, 1, sizes, 0, f"_{number}"))
    together = keras.layers.Concatenate(name="together")(each) if count > 1 else each[0]
    return keras.Model(inputs, together, name="designs")


def put_together(models: Sequence[keras.Model], sizes: Sizes, *, shared: bool) -> keras.Model:
    """Networks of one output each as one, see `build_together`."""
    together = build_together(len(models), sizes, shared=shared)
    for layers in _matching(models, together):
        for own, joint in layers:
            joint.set_weights(own.get_weights())
    return together


def take_apart(together: keras.Model, count: int, sizes: Sizes) -> list[keras.Model]:
    """What `put_together` was given."""
    models = [build(1, sizes, seed=0) for _ in range(count)]
    for layers in _matching(models, together):
        for own, joint in layers:
            own.set_weights(joint.get_weights())
    return models


def _matching(
    models: Sequence[keras.Model], together: keras.Model
) -> Iterator[list[tuple[keras.layers.Layer, keras.layers.Layer]]]:
    """For each network, its layers with weights beside those that stand for them where all are one."""
    known = {layer.name: layer for layer in together.layers}
    for number, model in enumerate(models):
        layers = [layer for layer in model.layers if layer.weights]
        yield [(layer, known.get(f"{layer.name}_{number}") or known[layer.name]) for layer in layers]


def _convolved(x: keras.KerasTensor, sizes: Sizes, seed: int, suffix: str = "") -> keras.KerasTensor:
    """The layers before the head, with a suffix to their names."""
    after_block, _ = sizes.dropout
    for block, filters in enumerate(sizes.filters, start=1):
        for number, padding in enumerate(("same", "valid"), start=1):
            initial = _glorot(seed, 2 * block + number)
            name = f"block{block}_conv{number}{suffix}"
            x = keras.layers.Conv2D(filters, 3, padding=padding, kernel_initializer=initial, name=name)(x)
            x = keras.layers.ReLU(name=f"block{block}_relu{number}{suffix}")(x)
        x = keras.layers.MaxPooling2D(name=f"block{block}_pool{suffix}")(x)
        x = keras.layers.Dropout(after_block, name=f"block{block}_dropout{suffix}")(x)
    return x


def _head(x: keras.KerasTensor, outputs: int, sizes: Sizes, seed: int, suffix: str = "") -> keras.KerasTensor:
    """The layers of the head, likewise, up to the logits."""
    _, after_hidden = sizes.dropout
    x = keras.layers.Flatten(name=f"{FIRST_OF_HEAD}{suffix}")(x)
    x = keras.layers.Dense(sizes.hidden, kernel_initializer=_glorot(seed, 1), name=f"hidden{suffix}")(x)
    x = keras.layers.ReLU(name=f"relu{suffix}")(x)
    x = keras.layers.Dropout(after_hidden, name=f"dropout{suffix}")(x)
    return keras.layers.Dense(outputs, kernel_initializer=_glorot(seed, 0), name=f"logits{suffix}")(x)


def convolutions(model: keras.Model) -> list[keras.layers.Conv2D]:
    """The convolutions of a network, from the image on."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def share_convolutions(model: keras.Model, first: keras.Model) -> keras.Model:
    """Model 2: give a network the convolutions of the first one, frozen; the dense layers stay its own.

    The tutorial's text says so. Its code copies and freezes "all except final dense layers" by leaving out the last
    three of 18 layers, which are dropout, the output and its sigmoid: as printed, the hidden layer is frozen, too.
    """
    for own, shared in zip(convolutions(model), convolutions(first), strict=True):
        own.set_weights(shared.get_weights())
        own.trainable = False
    return model


def digest(model: keras.Model) -> str:
    """A sha256 of the bits of all convolutions of a network."""
    found = hashlib.sha256()
    for layer in convolutions(model):
        for weight in layer.get_weights():
            found.update(weight.tobytes())
    return found.hexdigest()


def _smallest(blocks: int) -> int:
    """The side of the smallest image of which pooling leaves something."""
    side = 1
    for _ in range(blocks):
        side = 2 * side + 2
    return side


def _glorot(seed: int, layer: int) -> keras.initializers.Initializer:
    """Keras' default initialisation, another draw for each layer."""
    return keras.initializers.GlorotUniform(seed=seed * 1000 + layer)
