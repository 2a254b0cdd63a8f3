"""The keys of the experiment `query2label`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from multilabel.config.sections import Fraction, Name, Section, Seed
from multilabel.config.shared import Shared

KINDS = {"transformer": "Query2Label", "pooled": "Average-pooled top model", "finetuned": "Fine-tuned model"}
"""What is trained on one base, and what it is called: its map goes into the transformer, or is averaged and goes into a
top model, above the fixed base or with it."""


class Checkpoint(Section):
    """A released checkpoint, which is imported and scored."""

    name: Name = Field(description="of its run")
    checkpoint: str = Field(description="path of checkpoint.pkl")
    config: str = Field(description="path of config_new.json, which lies beside it")
    row: str = Field("", description="the row of Table I that it belongs to; empty: none")


class Compared(Section):
    """What is trained beside the transformer, as long, on the same images and by the same loss."""

    learning_rate: float = Field(1e-4, gt=0, description="at its highest")
    seeds: int = Field(1, ge=0, description="as of the transformer; 0: it is left out")


class Beside(Section):
    """A top model on the average of the base's last map: above the fixed base (`pooled`) or with it (`finetuned`)."""

    pooled: Compared = Compared()
    finetuned: Compared = Compared()


class Query2Label(Section):
    """A transformer whose labels look at the map of a base network (Liu et al. 2021): the target `query2label`."""

    preprocess: Literal["inet", "zmuvs", "caffe", "torch"] = Field("torch", description="normalisation of the images")
    layer: str = Field("", description="layer of the base whose map the labels look at; empty: the last")
    frozen: int | Literal["all"] = Field(0, description="how many first layers of the base do not train; or all")
    frozen_norms: bool = Field(True, description="batch normalisation of the base stays as it is, as published")
    compared: Beside = Beside()
    width: int = Field(2048, ge=4, description="of the transformer; a multiple of 4 and of heads")
    feedforward: int = Field(8192, ge=1, description="width of its hidden layers")
    heads: int = Field(4, ge=1, description="of the attention")
    encoder_layers: int = Field(1, ge=0, description="layers in which places look at each other")
    decoder_layers: int = Field(2, ge=1, description="layers in which labels look at places")
    dropout: Fraction = Field(0.1, description="in the transformer")
    top_model: int = Field(1024, ge=1, description="nodes of the hidden layer of what it is compared with")
    epochs: int = Field(80, ge=1, description="passes over the images; the learning rate's cycle takes all of them")
    patience: int | None = Field(
        8, ge=1, description="epochs without a better validation mAP before it ends; null: all"
    )
    batch_size: int = Field(64, ge=1, description="images per step; what is left at the end of an epoch is dropped")
    learning_rate: float = Field(1e-4, gt=0, description="at its highest, a fifth of the way through")
    decay: float = Field(0.01, ge=0, description="of AdamW, on everything")
    average: Fraction = Field(0.9997, description="decay of the moving average of the weights")
    gamma_negative: float = Field(2.0, ge=0, description="of the asymmetric loss: how little easy negatives count")
    gamma_positive: float = Field(0.0, ge=0, description="the same of positives")
    clip: Fraction = Field(0.0, description="the probability up to which a negative costs nothing")
    rand_augment: bool = Field(True, description="distort training images by two random operations")
    cutout: Fraction = Field(0.5, description="paint over a square of this share of a training image's side; 0: none")
    mixed_precision: bool = Field(False, description="train in float16, for GPUs; weights and losses stay float32")
    seeds: int = Field(1, ge=1, description="each is trained with seed, seed + 1, …; tables give mean and deviation")
    seed: Seed = Field(0, description="of initial weights, order of the images, dropout and distortions")
    memory_gb: float = Field(2.0, ge=0, description="decoded images are kept in memory up to this size")
    examples: list[int] = Field([], description="ids of the images whose attention is shown; empty: chosen by rule")
    checkpoints: list[Checkpoint] = Field([], description="released checkpoints: Table I")
    unlabelled: bool = Field(
        True,
        description="images without labels count in metrics, as in the published numbers, and unlike elsewhere here",
    )
    train: bool = Field(True, description="whether anything is trained; without, Table I alone is made")

    @field_validator("checkpoints")
    @classmethod
    def _names_differ(cls, values: list[Checkpoint]) -> list[Checkpoint]:
        names = [value.name for value in values]
        if len(set(names)) < len(names):
            raise ValueError(f"expected a name of its own for each checkpoint, found {', '.join(names)}")
        return values

    @model_validator(mode="after")
    def _parts_fit(self) -> "Query2Label":
        if self.width % 4 or self.width % self.heads:
            raise ValueError(f"width {self.width}: expected a number that 4 and the {self.heads} heads divide")
        if not self.train and not self.checkpoints:
            raise ValueError("train is false and checkpoints is empty: nothing is left to do")
        return self

    @property
    def kinds(self) -> list[str]:
        """What is trained."""
        compared = [name for name in Beside.model_fields if getattr(self.compared, name).seeds]
        return ["transformer", *compared] if self.train else []

    def runs(self, kind: str) -> list[str]:
        """The runs of a kind, one per seed."""
        seeds = self.seeds if kind == "transformer" else getattr(self.compared, kind).seeds
        return [f"{kind}_s{self.seed + number}" for number in range(seeds)]

    @property
    def titles(self) -> dict[str, str]:
        """What each kind is called."""
        return KINDS

    def design(self, kind: str, base: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `heads.Design`; those that do not matter for a kind are left out of account.

        Args:
            kind: one of `kinds`.
            base: arguments of `backbones.build`.
        """
        keys = ("width", "feedforward", "heads", "encoder_layers", "decoder_layers", "dropout")
        looks = kind == "transformer"
        return {
            "kind": kind,
            "base": dict(base),
            "layer": self.layer if looks else "",
            "transformer": self.model_dump(include=set(keys)) if looks else {},
            "top_model": 0 if looks else self.top_model,
            "frozen": {"transformer": self.frozen, "pooled": "all", "finetuned": 0}[kind],
            "frozen_norms": self.frozen_norms,
        }

    def settings(self, kind: str) -> dict[str, Any]:
        """The arguments of `training.Settings`."""
        rate = self.learning_rate if kind == "transformer" else getattr(self.compared, kind).learning_rate
        keys = ("epochs", "patience", "batch_size", "decay", "average", "gamma_negative", "gamma_positive", "clip")
        more = ("rand_augment", "cutout", "mixed_precision", "memory_gb", "preprocess")
        return self.model_dump(include={*keys, *more}) | {"learning_rate": rate}


class Keys(Shared):
    """What the experiment adds to the configuration."""

    query2label: Query2Label = Query2Label()

    @property
    def counts_unlabelled(self) -> list[str]:
        """All images count, as in the published numbers, unless `unlabelled` is false."""
        return [*super().counts_unlabelled, *(["query2label"] if self.query2label.unlabelled else [])]

    @property
    def named_paths(self) -> dict[str, str]:
        """The files of the checkpoints."""
        found = super().named_paths
        for number, entry in enumerate(self.query2label.checkpoints):
            found |= {
                f"query2label.checkpoints.{number}.{key}": getattr(entry, key) for key in ("checkpoint", "config")
            }
        return found

    @property
    def query2label_departures(self) -> list[str]:
        """In words, where dataset and labels are not those of Table I."""
        paper = {
            "dataset": (self.dataset_id, "coco_2014"),
            "dataset.validation.fraction": (self.dataset.validation.fraction, 0.0),
        }
        return [f"{key} is {found}, not {theirs}" for key, (found, theirs) in paper.items() if found != theirs]
