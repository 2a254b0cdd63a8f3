"""ResNet as torchvision builds it: the stride lies in the 3×3 convolution; ε 1e-5; padding on both sides.

He et al. 2016. Keras' own ResNet-50 has the stride in the 1×1 convolution, biases, and other ε.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from multilabel.networks import checkpoints, pytorch
from multilabel.networks.blocks import EPSILON, FrozenBatchNormalization, count

DEPTHS = {
    "resnet18": (False, (2, 2, 2, 2)),
    "resnet34": (False, (3, 4, 6, 3)),
    "resnet50": (True, (3, 4, 6, 3)),
    "resnet101": (True, (3, 4, 23, 3)),
    "resnet152": (True, (3, 8, 36, 3)),
}
"""By name: whether its blocks have three convolutions (bottlenecks), and how many blocks its four layers have."""

EXPANSION = 4
"""Channels of a bottleneck's output by those of its 3×3 convolution."""


def build(
    network: str,
    *,
    input_size: int,
    weights: str | Path | None = None,
    classes: int | None = None,
    frozen: bool = False,
    prefix: str = "",
) -> keras.Model:
    """A ResNet: images N×H×W×3, normalised by ImageNet's mean and deviation → the map of `layer4`, after its ReLU.

    Args:
        network: a key of `DEPTHS`.
        input_size: height and width of the images.
        weights: a file of PyTorch, whose classifier may be left over; None: random weights.
        classes: with torchvision's classifier: images → logits N×classes.
        frozen: batch normalisation of constants; and the stem and `layer1` do not train, as in DETR.
        prefix: what the names of all layers begin with.

    Raises:
        ValueError: there is no such network, or the weights are of another one; the message names file and key.
        FileNotFoundError: there is no such weights file.
    """
    if network not in DEPTHS:
        raise ValueError(f"expected one of {', '.join(DEPTHS)}, found {network!r}")
    bottleneck, depths = DEPTHS[network]
    make = _Maker(prefix, frozen)
    images = keras.Input((input_size, input_size, 3), name=f"{prefix}images")
    x = make.convolution(images, "conv1", 64, 7, 2, "bn1")
    x = keras.layers.ZeroPadding2D(1, name=f"{prefix}maxpool.pad")(x)  # below zero is nothing after the ReLU
    x = keras.layers.MaxPooling2D(3, 2, name=f"{prefix}maxpool")(x)
    for layer, depth in enumerate(depths, 1):
        for block in range(depth):
            stride = 2 if block == 0 and layer > 1 else 1
            x = make.block(x, f"layer{layer}.{block}", 64 * 2 ** (layer - 1), stride, bottleneck)
    if classes is not None:
        x = keras.layers.GlobalAveragePooling2D(name=f"{prefix}avgpool")(x)
        x = keras.layers.Dense(classes, name=f"{prefix}fc")(x)
    model = keras.Model(images, x, name=network)
    if frozen:
        for layer in model.layers:
            if layer.name.startswith((f"{prefix}conv1", f"{prefix}layer1.")):
                layer.trainable = False
    if weights is not None:
        tensors = checkpoints.state_dict(weights).tensors
        pytorch.load(model, tensors, weights, ignored=() if classes is not None else ("fc.",))
    return model


def recognise(shapes: Mapping[str, Sequence[int]], prefix: str = "") -> str | None:
    """The name of the ResNet whose keys in PyTorch these are; None: they are of none.

    Raises:
        ValueError: it is a ResNet of another depth.
    """
    if f"{prefix}conv1.weight" not in shapes or f"{prefix}layer1.0.conv1.weight" not in shapes:
        return None
    depths = tuple(count(shapes, f"{prefix}layer{layer}.{{}}.conv1.weight") for layer in range(1, 5))
    kind = (f"{prefix}layer1.0.conv3.weight" in shapes, depths)
    names = [name for name, known in DEPTHS.items() if known == kind]
    if not names:
        raise ValueError(f"expected one of {', '.join(DEPTHS)}, found a ResNet of {depths} blocks")
    return names[0]


class _Maker:
    """Makes the parts of a network, whose layers bear the names of torchvision's modules."""

    def __init__(self, prefix: str, frozen: bool) -> None:
        self.prefix = prefix
        self.normalisation = FrozenBatchNormalization if frozen else keras.layers.BatchNormalization

    def convolution(
        self, x: keras.KerasTensor, name: str, filters: int, size: int, stride: int, norm: str, *, relu: bool = True
    ) -> keras.KerasTensor:
        """Convolution → batch normalisation → ReLU."""
        name, norm = self.prefix + name, self.prefix + norm
        padding = "same"
        if stride > 1 and size > 1:  # "same" would pad below and to the right only
            x, padding = keras.layers.ZeroPadding2D(size // 2, name=f"{name}.pad")(x), "valid"
        initial = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
        x = keras.layers.Conv2D(filters, size, stride, padding, use_bias=False, kernel_initializer=initial, name=name)(
            x
        )
        x = self.normalisation(epsilon=EPSILON, momentum=0.9, name=norm)(x)
        return keras.layers.ReLU(name=f"{norm}.relu")(x) if relu else x

    def block(self, x: keras.KerasTensor, name: str, width: int, stride: int, bottleneck: bool) -> keras.KerasTensor:
        """Two or three convolutions beside a shortcut, which is a 1×1 convolution where the shape changes."""
        channels = width * EXPANSION if bottleneck else width
        shortcut = x
        if stride > 1 or x.shape[-1] != channels:
            down = f"{name}.downsample"
            shortcut = self.convolution(x, f"{down}.0", channels, 1, stride, f"{down}.1", relu=False)
        if bottleneck:
            x = self.convolution(x, f"{name}.conv1", width, 1, 1, f"{name}.bn1")
            x = self.convolution(x, f"{name}.conv2", width, 3, stride, f"{name}.bn2")
            x = self.convolution(x, f"{name}.conv3", channels, 1, 1, f"{name}.bn3", relu=False)
        else:
            x = self.convolution(x, f"{name}.conv1", width, 3, stride, f"{name}.bn1")
            x = self.convolution(x, f"{name}.conv2", width, 3, 1, f"{name}.bn2", relu=False)
        x = keras.layers.Add(name=f"{self.prefix}{name}.add")([x, shortcut])
        return keras.layers.ReLU(name=f"{self.prefix}{name}.relu")(x)
