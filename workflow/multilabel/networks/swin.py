"""Swin Transformer: attention within windows, which every second block shifts by half (Liu et al. 2021).

Names, layout and numbers of the official code: exact GELU, ε 1e-5, mask −100, normalised patches, no absolute position.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel.networks.blocks import Block, LayerNorm, attention, count, drop_path, linear, registered

MASKED = -100.0
"""Added to products between places that only the shift brought side by side."""

START = keras.initializers.TruncatedNormal(stddev=0.02)


def build(
    *,
    input_size: int,
    embed: int = 192,
    depths: Sequence[int] = (2, 2, 18, 2),
    heads: Sequence[int] = (6, 12, 24, 48),
    window: int = 12,
    patch: int = 4,
    hidden: int = 4,
    drop: float = 0.1,
    prefix: str = "",
) -> keras.Model:
    """A Swin, by default Swin-L: normalised images N×H×W×3 → the normalised map of the last stage.

    Args:
        input_size: height and width of the images.
        embed: channels of the first stage; each further stage has twice as many.
        depths: blocks of each stage.
        heads: of each stage.
        window: side of the windows, in tokens; a stage that is no larger is one window and has no shift.
        patch: side of a token, in pixels.
        hidden: width of the hidden layer by that of its block.
        drop: stochastic depth in training, from 0 in the first block to this in the last.
        prefix: what the names of all layers begin with.

    Raises:
        ValueError: the image cannot be divided into such patches, windows and halves.
    """
    images = keras.Input((input_size, input_size, 3), name=f"{prefix}images")
    embedding = f"{prefix}patch_embed"
    x = keras.layers.Conv2D(embed, patch, patch, kernel_initializer=START, name=f"{embedding}.proj")(images)
    x = LayerNorm(name=f"{embedding}.norm")(x)
    rates = iter(np.linspace(0, drop, sum(depths)).tolist())
    for stage, depth in enumerate(depths):
        name, side = f"{prefix}layers.{stage}", x.shape[1]
        within = min(window, side)
        if input_size % patch or side % within:
            raise ValueError(
                f"images of {input_size} pixels: stage {stage} of {side} tokens has no windows of {within}"
            )
        for block in range(depth):
            shift = within // 2 if block % 2 and side > window else 0
            options = {"heads": heads[stage], "window": within, "shift": shift, "hidden": hidden}
            x = SwinBlock(name=f"{name}.blocks.{block}", drop=next(rates), **options)(x)
        if stage + 1 < len(depths):
            if side % 2:
                raise ValueError(f"images of {input_size} pixels: stage {stage} of {side} tokens cannot be halved")
            x = PatchMerging(name=f"{name}.downsample")(x)
    return keras.Model(images, LayerNorm(name=f"{prefix}norm")(x), name="swin")


def recognise(shapes: Mapping[str, Sequence[int]], prefix: str = "") -> dict[str, Any] | None:
    """The arguments of `build` that PyTorch's keys and shapes tell, all but the image size; None: it is no Swin."""
    first = shapes.get(f"{prefix}patch_embed.proj.weight")
    if first is None or f"{prefix}layers.0.blocks.0.attn.relative_position_bias_table" not in shapes:
        return None
    stages = count(shapes, f"{prefix}layers.{{}}.blocks.0.norm1.weight")
    tables = [shapes[f"{prefix}layers.{stage}.blocks.0.attn.relative_position_bias_table"] for stage in range(stages)]
    return {
        "embed": first[0],
        "patch": first[2],
        "depths": tuple(count(shapes, f"{prefix}layers.{stage}.blocks.{{}}.norm1.weight") for stage in range(stages)),
        "heads": tuple(heads for _, heads in tables),
        "window": max(round((places**0.5 + 1) / 2) for places, _ in tables),
        "hidden": shapes[f"{prefix}layers.0.blocks.0.mlp.fc1.weight"][0] // first[0],
    }


@registered
class SwinBlock(Block):
    """N×H×W×C → the same: attention within windows, then a hidden layer; each normalised first and added."""

    def __init__(self, *, heads: int, window: int, shift: int, hidden: int, drop: float, **options: Any) -> None:
        super().__init__(heads=heads, window=window, shift=shift, hidden=hidden, drop=drop, **options)
        self.heads, self.window, self.shift = heads, window, shift
        self.drop_path = drop_path(drop, 4)

    def build(self, shape: Any) -> None:
        """Variables."""
        self.side, width = shape[1], shape[-1]
        self.add_norm("norm1", width)
        self.add("attn.relative_position_bias_table", ((2 * self.window - 1) ** 2, self.heads), START)
        self.add_linear("attn.qkv", width, 3 * width, START)
        self.add_linear("attn.proj", width, width, START)
        self.add_norm("norm2", width)
        self.add_linear("mlp.fc1", width, self.options["hidden"] * width, START)
        self.add_linear("mlp.fc2", self.options["hidden"] * width, width, START)

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """See the class."""
        x = x + self.drop_path(self._attend(self.norm("norm1", x)), training=training)
        hidden = tf.nn.gelu(self.linear("mlp.fc1", self.norm("norm2", x)), approximate=False)
        return x + self.drop_path(self.linear("mlp.fc2", hidden), training=training)

    def buffers(self) -> dict[str, np.ndarray]:
        """What the official code stores with the weights."""
        index = {"attn.relative_position_index": relative_position_index(self.window)}
        return index | ({"attn_mask": shift_mask(self.side, self.window, self.shift)} if self.shift else {})

    def _attend(self, x: tf.Tensor) -> tf.Tensor:
        side, window, width = self.side, self.window, x.shape[-1]
        across = side // window
        if self.shift:
            x = tf.roll(x, (-self.shift, -self.shift), (1, 2))
        x = tf.transpose(tf.reshape(x, (-1, across, window, across, window, width)), (0, 1, 3, 2, 4, 5))
        q, k, v = tf.split(self.linear("attn.qkv", tf.reshape(x, (-1, across**2, window**2, width))), 3, -1)
        seen, _ = attention(q, k, v, self.heads, scale=(width // self.heads) ** -0.5, bias=self._bias())
        x = tf.reshape(self.linear("attn.proj", seen), (-1, across, across, window, window, width))
        x = tf.reshape(tf.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, side, side, width))
        return tf.roll(x, (self.shift, self.shift), (1, 2)) if self.shift else x

    def _bias(self) -> tf.Tensor:
        """1 or windows × heads × tokens × tokens."""
        index = relative_position_index(self.window)
        table = self.parameters["attn.relative_position_bias_table"]
        bias = tf.reshape(tf.gather(table, index.reshape(-1)), (*index.shape, self.heads))
        bias = tf.transpose(bias, (2, 0, 1))[None]
        if self.shift:
            bias += tf.cast(shift_mask(self.side, self.window, self.shift)[:, None], bias.dtype)
        return bias


@registered
class PatchMerging(Block):
    """N×H×W×C → N×H/2×W/2×2C: four neighbours in one, column by column."""

    def build(self, shape: Any) -> None:
        """Variables."""
        width = shape[-1]
        self.add_norm("norm", 4 * width)
        self.add("reduction.weight", (2 * width, 4 * width), START)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        x = tf.concat([x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)], -1)
        return linear(self.norm("norm", x), self.parameters["reduction.weight"])


def relative_position_index(window: int) -> np.ndarray:
    """Which entry of the table a pair of places in a window has, int64 tokens×tokens.

    >>> relative_position_index(2).tolist()
    [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]
    """
    rows, columns = np.divmod(np.arange(window**2), window)
    apart = [each[:, None] - each[None, :] + window - 1 for each in (rows, columns)]
    return (apart[0] * (2 * window - 1) + apart[1]).astype(np.int64)


def shift_mask(side: int, window: int, shift: int) -> np.ndarray:
    """`MASKED` for pairs of places that are no neighbours before the shift, float32 windows×tokens×tokens."""
    part = np.searchsorted([side - window, side - shift], np.arange(side), side="right")  # of a row or column
    parts = part[:, None] * 3 + part[None, :]
    across = side // window
    windows = parts.reshape(across, window, across, window).transpose(0, 2, 1, 3).reshape(across**2, window**2)
    return np.where(windows[:, :, None] == windows[:, None, :], 0, MASKED).astype(np.float32)
