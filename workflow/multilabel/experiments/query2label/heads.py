"""Networks on one base by what is above it: the transformer, or a top model on the average of its last map."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras

from multilabel.experiments.query2label import transformer
from multilabel.networks import backbones

Kind = Literal["transformer", "pooled", "finetuned"]


@dataclass(frozen=True)
class Design:
    """All that makes one of the networks, weights apart.

    `base` holds arguments of `backbones.build`; `layer` names the layer of it whose map the transformer takes, empty:
    the last; `transformer` arguments of `transformer.build`, classes apart; `top_model` the hidden layer's nodes.
    `frozen` says how many first layers of the base do not train, or `all`; `frozen_norms` that its batch normalisation
    is a constant.
    """

    kind: Kind
    base: Mapping[str, Any]
    layer: str
    transformer: Mapping[str, Any]
    top_model: int
    frozen: int | Literal["all"]
    frozen_norms: bool


def build(design: Design, classes: int, *, weights: str | None = None, seed: int = 0) -> keras.Model:
    """The network: normalised images → logits N×classes.

    Args:
        design: which.
        classes: number of labels.
        weights: of the base; None: random ones.
        seed: of the initial weights above the base.

    Raises:
        ValueError: the base has no such layer, or its map does not fit the transformer.
    """
    keras.backend.clear_session()
    base = backbones.build(**{**design.base, "weights": weights})
    frozen = len(base.layers) if design.frozen == "all" else int(design.frozen)
    for number, layer in enumerate(base.layers):
        norm = design.frozen_norms and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= frozen and not norm
    keras.utils.set_random_seed(seed)
    if design.kind == "transformer":
        return transformer.on(_up_to(base, design.layer), classes=classes, **design.transformer)
    x = keras.layers.GlobalAveragePooling2D(name="average")(base.output)
    x = keras.layers.Dense(design.top_model, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(base.input, keras.layers.Dense(classes, name="logits")(x), name=f"{design.kind}_{base.name}")


def _up_to(base: keras.Model, layer: str) -> keras.Model:
    """The base up to a layer."""
    if not layer:
        return base
    names = [each.name for each in base.layers]
    if layer not in names:
        near = ", ".join(difflib.get_close_matches(layer, names, 3) or names[-3:])
        raise ValueError(f"query2label.layer: {base.name} has no layer {layer!r}; near: {near}")
    return keras.Model(base.input, base.get_layer(layer).output, name=base.name)
