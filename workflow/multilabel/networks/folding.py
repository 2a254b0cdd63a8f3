"""Batch normalisation multiplied into the convolutions before it: the same network for inference, with fewer passes."""

from typing import Any

import keras
import numpy as np


def fold(model: keras.Model) -> keras.Model:
    """A network of which every convolution followed by batch normalisation is one convolution with a bias.

    Its outputs are those of the network in inference, up to rounding. The layers that are left as they are belong to
    both; those that are folded are copies, which no longer follow the network's weights. Fold last: layers by name, as
    attention is taken, are to be asked of the network.
    """
    folded = {norm.name: convolution for norm in model.layers if (convolution := _before(norm)) is not None}
    norms = {convolution.name: norm for norm in model.layers if (convolution := folded.get(norm.name)) is not None}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name in norms:
            return type(layer).from_config({**layer.get_config(), "use_bias": True})
        return layer

    def call(layer: keras.layers.Layer, *arguments: Any, **options: Any) -> Any:
        return arguments[0] if layer.name in folded else layer(*arguments, **options)

    made = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for name, norm in norms.items():
        made.get_layer(name).set_weights(_together(model.get_layer(name), norm))
    return made


def _before(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    """The convolution whose output a batch normalisation takes, where nothing else takes it."""
    if not isinstance(layer, keras.layers.BatchNormalization):
        return None
    convolution = layer.input._keras_history.operation
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    if not isinstance(convolution, kinds) or len(convolution._outbound_nodes) > 1:
        return None
    return convolution if convolution.activation is keras.activations.linear else None


def _together(convolution: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Kernel and bias of both; computed in float64."""
    kernel = np.asarray(convolution.kernel, np.float64)
    bias = np.asarray(convolution.bias, np.float64) if convolution.use_bias else 0
    gamma, beta, mean, variance = (
        np.asarray(each, np.float64) if each is not None else default
        for each, default in ((norm.gamma, 1), (norm.beta, 0), (norm.moving_mean, 0), (norm.moving_variance, 1))
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    turned = scale.reshape(kernel.shape[2:]) if depthwise else scale
    return [(kernel * turned).astype(np.float32), ((bias - mean) * scale + beta).astype(np.float32)]
