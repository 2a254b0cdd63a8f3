"""The transformer of Query2Label: a feature map, asked by one query per label, gives one logit per label.

Liu et al. 2021 (section 3) on DETR's layers: post-norm, ReLU, the position added to queries and keys only. Its decoder
has no self-attention, and its target starts at zero. Names and layout of the weights are those of the official code.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel.networks.blocks import Block, LayerNorm, attention, linear, registered

MAP, POSITION, PROJECTION, QUERIES, HEAD = "map", "backbone.1", "input_proj", "query_embed", "fc"
ENCODER, DECODER, NORM = "transformer.encoder.layers.{}", "transformer.decoder.layers.{}", "transformer.decoder.norm"
"""Names of the layers."""


def build(
    feature_map: keras.KerasTensor,
    *,
    classes: int,
    width: int,
    feedforward: int,
    heads: int = 4,
    encoder_layers: int = 1,
    decoder_layers: int = 2,
    project: bool | None = None,
    dropout: float = 0.1,
) -> keras.KerasTensor:
    """Logits N×classes of a feature map N×H×W×channels.

    Args:
        feature_map: of a backbone.
        classes: number of labels.
        width: of the transformer: a multiple of 4 and of `heads`.
        feedforward: width of the hidden layer after attention.
        heads: of the attention.
        encoder_layers: how many.
        decoder_layers: how many.
        project: whether a 1×1 convolution leads from the channels to the width; None: where they differ.
        dropout: in training, of attention weights, of hidden layers and of what each branch adds.

    Raises:
        ValueError: the width is none that can be divided, or differs from the channels without projection.
    """
    if width % 4 or width % heads:
        raise ValueError(f"expected a width that 4 and the {heads} heads divide, found {width}")
    channels = feature_map.shape[-1]
    if channels != width and project is False:
        raise ValueError(f"expected a width of {channels}, as the feature map has, or a projection; found {width}")
    x = feature_map
    if project or channels != width:
        initial = _uniform(channels)
        x = keras.layers.Conv2D(width, 1, kernel_initializer=initial, bias_initializer=initial, name=PROJECTION)(x)
    position = Position(name=POSITION)(x)
    memory = keras.layers.Reshape((-1, width), name=MAP)(x)
    options: dict[str, Any] = {"feedforward": feedforward, "heads": heads, "dropout": dropout}
    for layer in range(encoder_layers):
        memory = EncoderLayer(name=ENCODER.format(layer), **options)([memory, position])
    queries = Queries(name=QUERIES, classes=classes)(memory)
    target = keras.ops.zeros_like(queries)
    for layer in range(decoder_layers):
        target, _ = DecoderLayer(name=DECODER.format(layer), **options)([target, queries, memory, position])
    return Head(name=HEAD)(LayerNorm(name=NORM)(target))


def with_attention(model: keras.Model) -> keras.Model:
    """The same model, of the same variables: images → logits, and where each label looked.

    The second output is N×layers×L×H×W: of each decoder layer, the weights of a label over the map (its heads' mean,
    before dropout), which add up to 1.
    """
    layers = [layer for layer in model.layers if isinstance(layer, DecoderLayer)]
    height, width = model.get_layer(POSITION).input.shape[1:3]
    maps = [keras.layers.Reshape((1, -1, height, width))(layer.output[1]) for layer in layers]
    together = keras.layers.Concatenate(axis=1)(maps) if len(maps) > 1 else maps[0]
    return keras.Model(model.input, [model.output, together], name=f"{model.name}_with_attention")


def sine_position(height: int, width: int, channels: int) -> np.ndarray:
    """DETR's encoding of places, float32 1×channels×height×width: the first half of the channels says the row.

    >>> sine_position(2, 3, 8).shape
    (1, 8, 2, 3)
    """

    def encode(count: int) -> np.ndarray:
        places = np.arange(1, count + 1) / (count + 1e-6) * 2 * np.pi
        index = np.arange(channels // 2)
        angles = places[:, None] / 10_000 ** (2 * (index // 2) / (channels // 2))
        return np.where(index % 2, np.cos(angles), np.sin(angles)).T  # (channels / 2)×count

    rows = np.repeat(encode(height)[:, :, None], width, 2)
    columns = np.repeat(encode(width)[:, None, :], height, 1)
    return np.concatenate([rows, columns])[None].astype(np.float32)


@registered
class Position(Block):
    """N×H×W×d → 1×(H·W)×d: the encoding of places. It is a constant, and a tensor of the checkpoint (`pe`)."""

    def build(self, shape: Any) -> None:
        """The constant, in PyTorch's layout."""
        value = sine_position(*shape[1:])
        self.add("pe", value.shape, lambda shape, dtype=None: tf.constant(value, dtype), trainable=False)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """The same for all images."""
        return tf.reshape(tf.transpose(self.parameters["pe"], (0, 2, 3, 1)), (1, -1, x.shape[-1]))


class _Layer(Block):
    """What encoder and decoder layers share: attention, and a hidden layer, each with dropout and then a norm."""

    norms: tuple[str, str]
    attention_name: str

    def __init__(self, *, feedforward: int, heads: int, dropout: float, **options: Any) -> None:
        super().__init__(feedforward=feedforward, heads=heads, dropout=dropout, **options)
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, shapes: Sequence[Any]) -> None:
        """Variables for tokens of the first input's width."""
        width, hidden = shapes[0][-1], self.options["feedforward"]
        self.add(f"{self.attention_name}.in_proj_weight", (3 * width, width), "glorot_uniform")
        self.add(f"{self.attention_name}.in_proj_bias", (3 * width,), "zeros")
        self.add_linear(f"{self.attention_name}.out_proj", width, width)
        self.add_linear("linear1", width, hidden, bias=_uniform(width))
        self.add_linear("linear2", hidden, width, bias=_uniform(hidden))
        for norm in self.norms:
            self.add_norm(norm, width)

    def attend(self, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, training: bool | None) -> tuple[tf.Tensor, tf.Tensor]:
        """N×Q×d and the weights N×Q×K, the mean of the heads."""
        weights = tf.split(self.parameters[f"{self.attention_name}.in_proj_weight"], 3)
        biases = tf.split(self.parameters[f"{self.attention_name}.in_proj_bias"], 3)
        q, k, v = (linear(x, *each) for x, *each in zip((q, k, v), weights, biases, strict=True))
        heads = self.options["heads"]
        seen, weights = attention(
            q,
            k,
            v,
            heads,
            scale=(q.shape[-1] // heads) ** -0.5,
            dropout=lambda weights: self.dropout(weights, training=training),
        )
        return self.linear(f"{self.attention_name}.out_proj", seen), tf.reduce_mean(weights, 1)

    def add_and_norm(self, x: tf.Tensor, seen: tf.Tensor, training: bool | None) -> tf.Tensor:
        """What attention saw, then the hidden layer, each added to x and normalised."""
        first, second = self.norms
        x = self.norm(first, x + self.dropout(seen, training=training))
        hidden = self.dropout(tf.nn.relu(self.linear("linear1", x)), training=training)
        return self.norm(second, x + self.dropout(self.linear("linear2", hidden), training=training))


@registered
class EncoderLayer(_Layer):
    """Tokens N×T×d and their position 1×T×d → N×T×d; each token looks at all."""

    norms = ("norm1", "norm2")
    attention_name = "self_attn"

    def call(self, inputs: Sequence[tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """See the class."""
        x, position = inputs
        placed = x + position
        return self.add_and_norm(x, self.attend(placed, placed, x, training)[0], training)


@registered
class DecoderLayer(_Layer):
    """Target and queries N×L×d, memory N×T×d, its position → the next target, and the weights N×L×T of its gaze."""

    norms = ("norm2", "norm3")
    attention_name = "multihead_attn"

    def call(self, inputs: Sequence[tf.Tensor], training: bool | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """See the class."""
        target, queries, memory, position = inputs
        seen, weights = self.attend(target + queries, memory + position, memory, training)
        return self.add_and_norm(target, seen, training), weights


@registered
class Queries(Block):
    """Memory N×T×d → one learned embedding per label, N×L×d."""

    def build(self, shape: Any) -> None:
        """The embeddings."""
        self.add("weight", (self.options["classes"], shape[-1]), keras.initializers.RandomNormal(stddev=1.0))

    def call(self, memory: tf.Tensor) -> tf.Tensor:
        """The same for all images."""
        weight = tf.cast(self.parameters["weight"], memory.dtype)
        return tf.tile(weight[None], (tf.shape(memory)[0], 1, 1))


@registered
class Head(Block):
    """Tokens N×L×d → logits N×L: a weight vector and a bias for each label."""

    def build(self, shape: Any) -> None:
        """Variables."""
        _, classes, width = shape
        self.add("W", (1, classes, width), _uniform(width))
        self.add("b", (1, classes), _uniform(width))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Sum over the channels."""
        return tf.reduce_sum(x * self.parameters["W"], -1) + self.parameters["b"]


def _uniform(inputs: int) -> keras.initializers.Initializer:
    """How PyTorch starts what has this many inputs: uniform in ±1/√inputs."""
    return keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5)


def on(backbone: keras.Model, **options: Any) -> keras.Model:
    """The model on any backbone whose output is a map N×H×W×channels, as those of `keras.applications` without top.

    Args:
        backbone: images → map; its layers become the model's.
        options: of `build`: classes, width, feedforward, …

    Raises:
        ValueError: the output is no map.
    """
    if len(backbone.output.shape) != 4:
        raise ValueError(f"expected a map N×H×W×channels, found {backbone.name} with {tuple(backbone.output.shape)}")
    return keras.Model(backbone.input, build(backbone.output, **options), name=f"query2label_{backbone.name}")
