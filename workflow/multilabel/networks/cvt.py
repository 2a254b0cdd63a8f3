"""CvT: attention whose queries, keys and values come from convolutions over the map of tokens (Wu et al. 2021).

Names, layout and numbers of the official code as Query2Label has it: x·sigmoid(1.702 x), and a scale by the stage's
width, not by that of a head.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel.networks.blocks import EPSILON, Block, LayerNorm, attention, count, drop_path, registered

PATCHES = ((7, 4, 2), (3, 2, 1), (3, 2, 1))
"""Of each stage's embedding: side, stride and padding."""

REDUCTION = math.prod(stride for _, stride, _ in PATCHES)
"""Pixels by places of the last map."""

START = keras.initializers.TruncatedNormal(stddev=0.02)


def build(
    *,
    input_size: int,
    widths: Sequence[int] = (192, 768, 1024),
    depths: Sequence[int] = (2, 2, 20),
    heads: Sequence[int] | None = None,
    hidden: int = 4,
    drop: float = 0.3,
    prefix: str = "",
) -> keras.Model:
    """A CvT, by default CvT-w24: normalised images N×H×W×3 → the normalised map of the last stage.

    Args:
        input_size: height and width of the images.
        widths: channels of each stage.
        depths: blocks of each stage.
        heads: of each stage; None: of equal width in all stages, as in every published CvT.
        hidden: width of the hidden layer by that of its block.
        drop: stochastic depth in training, in the last stage: from 0 in its first block to this in its last.
        prefix: what the names of all layers begin with.
    """
    heads = heads or default_heads(widths)
    images = keras.Input((input_size, input_size, 3), name=f"{prefix}images")
    x = images
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        name, (size, stride, padding) = f"{prefix}stage{stage}", PATCHES[stage]
        embedding, last = f"{name}.patch_embed", stage + 1 == len(widths)
        x = keras.layers.ZeroPadding2D(padding, name=f"{embedding}.pad")(x)
        x = keras.layers.Conv2D(width, size, stride, kernel_initializer=START, name=f"{embedding}.proj")(x)
        x = LayerNorm(name=f"{embedding}.norm")(x)
        side = tuple(x.shape[1:3])
        x = keras.layers.Reshape((-1, width), name=f"{name}.tokens")(x)
        if last:
            x = ClassToken(name=name)(x)
        for block, rate in enumerate(np.linspace(0, drop if last else 0, depth).tolist()):
            x = _block(x, f"{name}.blocks.{block}", side, heads[stage], hidden, rate)
        x = keras.layers.Reshape((*side, width), name=f"{name}.map")(x[:, 1:] if last else x)
    return keras.Model(images, LayerNorm(name=f"{prefix}norm")(x), name="cvt")


def recognise(shapes: Mapping[str, Sequence[int]], prefix: str = "") -> dict[str, Any] | None:
    """The arguments of `build` that PyTorch's keys and shapes tell, all but the image size; None: it is no CvT."""
    if f"{prefix}stage0.patch_embed.proj.weight" not in shapes or f"{prefix}stage2.cls_token" not in shapes:
        return None
    widths = tuple(shapes[f"{prefix}stage{stage}.patch_embed.proj.weight"][0] for stage in range(len(PATCHES)))
    depths = tuple(count(shapes, f"{prefix}stage{stage}.blocks.{{}}.norm1.weight") for stage in range(len(PATCHES)))
    return {
        "widths": widths,
        "depths": depths,
        "hidden": shapes[f"{prefix}stage0.blocks.0.mlp.fc1.weight"][0] // widths[0],
    }


def default_heads(widths: Sequence[int]) -> tuple[int, ...]:
    """Heads of each stage, which weights do not tell: all as wide as the widths allow, 64 in every published CvT.

    >>> default_heads((192, 768, 1024))
    (3, 12, 16)
    """
    return tuple(width // math.gcd(*widths) for width in widths)


def _block(
    x: keras.KerasTensor, name: str, side: tuple[int, int], heads: int, hidden: int, drop: float
) -> keras.KerasTensor:
    """Tokens N×T×C → the same; with one token more than the map has places, the first is the class token."""
    width = x.shape[-1]
    normal = LayerNorm(name=f"{name}.norm1")(x)
    first = x.shape[1] - side[0] * side[1]
    places = keras.layers.Reshape((*side, width))(normal[:, first:])
    tokens = []
    for part, stride in (("q", 1), ("k", 2), ("v", 2)):
        seen = keras.layers.Reshape((-1, width))(_projection(places, f"{name}.attn.conv_proj_{part}", stride))
        tokens.append(keras.ops.concatenate([normal[:, :first], seen], axis=1) if first else seen)
    seen = Attention(name=f"{name}.attn", heads=heads)(tokens)
    x = keras.layers.Add()([x, drop_path(drop, 3, f"{name}.drop_path.attn")(seen)])
    seen = Mlp(name=f"{name}.mlp", hidden=hidden)(LayerNorm(name=f"{name}.norm2")(x))
    return keras.layers.Add()([x, drop_path(drop, 3, f"{name}.drop_path.mlp")(seen)])


def _projection(x: keras.KerasTensor, name: str, stride: int) -> keras.KerasTensor:
    """A 3×3 depthwise convolution, padded on all sides, and batch normalisation."""
    x = keras.layers.ZeroPadding2D(1, name=f"{name}.pad")(x)
    x = keras.layers.DepthwiseConv2D(3, stride, use_bias=False, name=f"{name}.conv")(x)
    return keras.layers.BatchNormalization(epsilon=EPSILON, momentum=0.9, name=f"{name}.bn")(x)


@registered
class ClassToken(Block):
    """Tokens N×T×C → N×(1 + T)×C: a learned one in front."""

    def build(self, shape: Any) -> None:
        """The token."""
        self.add("cls_token", (1, 1, shape[-1]), START)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        token = tf.cast(self.parameters["cls_token"], x.dtype)
        return tf.concat([tf.tile(token, (tf.shape(x)[0], 1, 1)), x], 1)


@registered
class Attention(Block):
    """Queries N×Q×C, keys and values N×K×C → N×Q×C."""

    def build(self, shapes: Sequence[Any]) -> None:
        """Variables."""
        width = shapes[0][-1]
        for part in ("proj_q", "proj_k", "proj_v", "proj"):
            self.add_linear(part, width, width, START)

    def call(self, tokens: Sequence[tf.Tensor]) -> tf.Tensor:
        """See the class."""
        q, k, v = (self.linear(f"proj_{part}", x) for part, x in zip("qkv", tokens, strict=True))
        return self.linear("proj", attention(q, k, v, self.options["heads"], scale=q.shape[-1] ** -0.5)[0])


@registered
class Mlp(Block):
    """… × C → the same, through a wider layer and x·sigmoid(1.702 x)."""

    def build(self, shape: Any) -> None:
        """Variables."""
        width = shape[-1]
        self.add_linear("fc1", width, self.options["hidden"] * width, START)
        self.add_linear("fc2", self.options["hidden"] * width, width, START)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        hidden = self.linear("fc1", x)
        return self.linear("fc2", hidden * tf.sigmoid(1.702 * hidden))
