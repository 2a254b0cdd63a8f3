"""The whole model: a backbone and the transformer; and a released checkpoint as such a model.

What a checkpoint is follows from the shapes of its tensors. `config_new.json` beside it adds what shapes do not tell:
heads, image size, normalisation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from multilabel.experiments.query2label import heads, transformer
from multilabel.experiments.query2label.preparation import normalised
from multilabel.export import Model
from multilabel.files import read_json
from multilabel.networks import backbones, checkpoints, cvt, pytorch, resnet, swin
from multilabel.networks.blocks import count

BACKBONE, BODY = "backbone.0.", "backbone.0.body."
"""What the keys of a backbone begin with; those of a ResNet lie one level deeper."""

STRIDE = 32
"""Pixels by places of the last map, for ResNets and Swin."""

HEADS = 4
"""Of the transformer where the configuration does not say: the official default, which all releases have."""


@dataclass(frozen=True)
class Architecture:
    """All that makes a model whose backbone is among `networks`: what its shapes and its configuration say.

    `backbone` holds `kind` (resnet, swin, cvt) and the arguments of its `build`; `normalise` is `torch` (ImageNet's
    mean and deviation) or `unit` (pixels / 255 as they are).
    """

    backbone: Mapping[str, Any]
    image_size: int
    classes: int
    width: int
    feedforward: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    project: bool
    normalise: Literal["torch", "unit"]


def build(architecture: Architecture, *, dropout: float = 0.1) -> keras.Model:
    """The model with random weights: normalised images N×S×S×3 → logits N×L.

    Raises:
        ValueError: its parts do not fit together.
    """
    options = dict(architecture.backbone)
    kind, size = options.pop("kind"), architecture.image_size
    if kind == "resnet":
        backbone = resnet.build(**options, input_size=size, frozen=True, prefix=BODY)
    else:
        backbone = {"swin": swin, "cvt": cvt}[kind].build(**options, input_size=size, prefix=BACKBONE)
    return transformer.on(
        backbone,
        classes=architecture.classes,
        width=architecture.width,
        feedforward=architecture.feedforward,
        heads=architecture.heads,
        encoder_layers=architecture.encoder_layers,
        decoder_layers=architecture.decoder_layers,
        project=architecture.project,
        dropout=dropout,
    )


def load(
    checkpoint: str | Path, config: str | Path | None = None, *, classes: int | None = None
) -> tuple[keras.Model, Architecture]:
    """A released checkpoint as a model: normalised images → logits; nothing in the file is run.

    Args:
        checkpoint: `checkpoint.pkl`.
        config: `config_new.json` beside it; None: what it would say is as the official code has it by default.
        classes: how many are expected.

    Raises:
        FileNotFoundError: one of the files is not there.
        ValueError: the checkpoint is damaged, hostile, of another class count or of an unknown backbone, or the
            configuration contradicts its shapes; the message names file and key.
    """
    state = checkpoints.state_dict(checkpoint)
    shapes = {key: tensor.shape for key, tensor in state.tensors.items()}
    try:
        architecture = read_architecture(shapes, read_json(config) if config else {}, config or "the configuration")
    except ValueError as error:
        raise ValueError(f"{checkpoint}: {error}") from error
    if classes not in (None, architecture.classes):
        raise ValueError(f"{checkpoint}: expected {classes} classes, found {architecture.classes} (query_embed.weight)")
    model = build(architecture)
    pytorch.load(model, state.tensors, checkpoint)
    return model, architecture


def network(model: Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """The Keras model of a model file, and a function from its images to scores; see `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit, or the file is of another version; the message names it.
    """
    found = of_file(model)

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(found(normalised(pixels, model.preprocess), training=False))

    return found, scores


def of_file(model: Model) -> keras.Model:
    """The network of a model file, trained or imported: normalised images → logits."""
    said = model.base
    try:
        if "architecture" in said:
            found = build(Architecture(**said["architecture"]))
        else:
            found = heads.build(heads.Design(**said["design"]), len(model.classes))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{model.path}: damaged, its description is not whole: {error}") from error
    backbones.load_weights(found, model.path)
    return found


def read_architecture(
    shapes: Mapping[str, Sequence[int]], config: Mapping[str, Any], source: str | Path = "the configuration"
) -> Architecture:
    """What model the shapes of a checkpoint are of, and what the configuration adds.

    Args:
        shapes: key in PyTorch → shape.
        config: of `config_new.json`; read are backbone, img_size, num_class, hidden_dim, dim_feedforward, nheads,
            enc_layers, dec_layers, keep_input_proj, orid_norm, keep_first_self_attn_dec, keep_other_self_attn_dec and
            pre_norm.
        source: its file, for messages.

    Raises:
        ValueError: the shapes are of no Query2Label or of an unknown backbone, or contradict the configuration.
    """
    width, feedforward = _shape(shapes, "transformer.decoder.layers.0.linear2.weight", 2)
    classes = _shape(shapes, f"{transformer.QUERIES}.weight", 2)[0]
    grid = _shape(shapes, f"{transformer.POSITION}.pe", 4)[2]
    backbone = _backbone(shapes)
    from_shapes = {
        "img_size": grid * (cvt.REDUCTION if backbone["kind"] == "cvt" else STRIDE),
        "num_class": classes,
        "hidden_dim": width,
        "dim_feedforward": feedforward,
        "enc_layers": _count(shapes, transformer.ENCODER),
        "dec_layers": _count(shapes, transformer.DECODER),
    }
    for key, value in from_shapes.items():
        if key in config and config[key] != value:
            raise ValueError(f"{source}: {key} is {config[key]!r}, but the checkpoint's tensors are of {value}")
    for key in ("keep_first_self_attn_dec", "keep_other_self_attn_dec", "pre_norm"):
        if config.get(key):
            raise ValueError(f"{source}: {key} is true, which no released model is; expected false")
    _check_backbone(config.get("backbone"), backbone, source)
    heads = config.get("nheads", HEADS)
    if type(heads) is not int or heads < 1 or width % heads:
        raise ValueError(f"{source}: nheads is {heads!r}, but the width of {width} is to be divided by it")
    return Architecture(
        backbone,
        from_shapes["img_size"],
        classes,
        width,
        feedforward,
        heads,
        from_shapes["enc_layers"],
        from_shapes["dec_layers"],
        f"{transformer.PROJECTION}.weight" in shapes,
        "unit" if config.get("orid_norm") else "torch",
    )


def _backbone(shapes: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Kind and arguments of the backbone."""
    if network := resnet.recognise(shapes, BODY):
        return {"kind": "resnet", "network": network}
    if options := swin.recognise(shapes, BACKBONE):
        return {"kind": "swin", **options}
    if options := cvt.recognise(shapes, BACKBONE):
        return {"kind": "cvt", **options}
    found = [key for key in shapes if key.startswith(BACKBONE)]
    raise ValueError(
        f"unknown backbone: expected the tensors of a ResNet, a Swin or a CvT under {BACKBONE}, "
        f"found {', '.join(found[:3]) or 'none'} (TResNet, which two of the releases have, is not among them)"
    )


def _check_backbone(name: Any, backbone: Mapping[str, Any], source: str | Path) -> None:
    """The configuration's name of the backbone must not contradict the shapes."""
    if name is None:
        return
    found = backbone.get("network", backbone["kind"])
    same = name == found if backbone["kind"] == "resnet" else str(name).lower().startswith(found)
    if not same:
        raise ValueError(f"{source}: backbone is {name!r}, but the checkpoint's tensors are of {found}")


def _shape(shapes: Mapping[str, Sequence[int]], key: str, rank: int) -> Sequence[int]:
    if len(shapes.get(key, ())) != rank:
        has = f"has the shape {tuple(shapes[key])}" if key in shapes else "is missing"
        raise ValueError(f"expected a Query2Label model: its tensor {key} {has}")
    return shapes[key]


def _count(shapes: Mapping[str, Sequence[int]], layers: str) -> int:
    return count(shapes, f"{layers}.linear1.weight")
