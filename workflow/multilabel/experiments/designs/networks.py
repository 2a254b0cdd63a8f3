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
from collections.abc import Sequence
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
    x = inputs = keras.Input((sizes.input_size, sizes.input_size, 3), name="images")
    after_block, after_hidden = sizes.dropout
    for block, filters in enumerate(sizes.filters, start=1):
        for number, padding in enumerate(("same", "valid"), start=1):
            initial = _glorot(seed, 2 * block + number)
            name = f"block{block}_conv{number}"
            x = keras.layers.Conv2D(filters, 3, padding=padding, kernel_initializer=initial, name=name)(x)
            x = keras.layers.ReLU(name=f"block{block}_relu{number}")(x)
        x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
        x = keras.layers.Dropout(after_block, name=f"block{block}_dropout")(x)
    x = keras.layers.Flatten(name=FIRST_OF_HEAD)(x)
    x = keras.layers.Dense(sizes.hidden, kernel_initializer=_glorot(seed, 1), name="hidden")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Dropout(after_hidden, name="dropout")(x)
    logits = keras.layers.Dense(outputs, kernel_initializer=_glorot(seed, 0), name="logits")(x)
    return keras.Model(inputs, logits, name="design")


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
