"""The keys of the experiment `designs`."""

from typing import Literal

from pydantic import Field, model_validator

from multilabel.config.sections import Fraction, Section, Seed
from multilabel.config.shared import FeatureSet, Shared

Objective = Literal["sigmoid_mse", "tanh_mse", "softmax", "class_weights", "balanced_sampling", "focal", "asymmetric"]
OUTPUTS: tuple[Objective, ...] = ("sigmoid_mse", "tanh_mse", "softmax")
"""What the forum proposes besides the sigmoid with binary cross-entropy."""
IMBALANCE: tuple[Objective, ...] = ("class_weights", "balanced_sampling", "focal", "asymmetric")
"""What is advised for rare classes."""


class Augmentation(Section):
    """Random distortions of training images, as the tutorial's Keras made them."""

    shear: float = Field(0.2, ge=0, description="degrees; by the tutorial's text 20 %, but its Keras reads degrees")
    zoom: float = Field(0.2, ge=0, lt=1, description="height and width grow or shrink by up to this share, each apart")
    flip: bool = Field(True, description="mirror half of the images, left to right")


class Epochs(Section):
    """Passes over the images; the weights of the epoch with the lowest validation loss are kept."""

    model1: int = Field(10, ge=1, description="of each network of Model 1")
    model2: int = Field(20, ge=1, description="of the first network of Model 2, and of each further head")
    model3: int = Field(30, ge=1, description="of Model 3")


class Forum(Section):
    """The forum's outputs on bottleneck features: a small network, trained with several seeds."""

    preprocess: Literal["inet", "zmuvs", "caffe", "torch"] = Field("zmuvs", description="normalisation of the images")
    pooling: Literal["avg", "max"] = Field("avg", description="of the base network's last map")
    hidden: int = Field(
        512, ge=1, description="nodes of its hidden layer, for one classifier per label in each of them"
    )
    epochs: int = Field(30, ge=1, description="passes over the features; the best epoch is kept")
    seeds: int = Field(10, ge=1, description="how often each is trained")


class Designs(Section):
    """Three designs for many labels (a tutorial on PASCAL VOC 2007) and a forum's question: the target `designs`."""

    input_size: int = Field(100, ge=4, description="height and width in pixels to which images are resized")
    filters: list[int] = Field([32, 64], min_length=1, description="of each block of two convolutions")
    hidden: int = Field(512, ge=1, description="nodes of the dense layer")
    dropout: list[Fraction] = Field(
        [0.25, 0.5], min_length=2, max_length=2, description="after each block, and after the dense layer"
    )
    augmentation: Augmentation = Augmentation()
    batch_size: int = Field(32, ge=1, description="images per step")
    learning_rate: float = Field(0.001, gt=0, description="of Adam")
    epochs: Epochs = Epochs()
    variants: list[Objective] = Field(
        [*OUTPUTS, *IMBALANCE],
        description="further losses with which Model 3 is trained: the forum's (sigmoid_mse, tanh_mse, softmax) and "
        "those for rare classes (class_weights, balanced_sampling, focal, asymmetric)",
    )
    gamma: float = Field(2.0, ge=0, description="of focal: how much less pairs count that are right already")
    forum: Forum = Forum()
    validation: Fraction = Field(
        0.2,
        gt=0,
        description="share of train that stops training and chooses thresholds, where dataset.validation.fraction is 0",
    )
    seed: Seed = Field(0, description="initial weights, order of the images, dropout, augmentation, that share")
    networks_jobs: int = Field(
        4, ge=1, description="processes that share the networks of Model 1, and those of Model 2"
    )
    runs_per_job: int = Field(2, ge=1, description="runs of Model 3 that share a process")
    memory_gb: float = Field(2.0, ge=0, description="decoded images are kept in memory up to this size")

    @model_validator(mode="after")
    def _variants_are_different(self) -> "Designs":
        if len(set(self.variants)) < len(self.variants):
            raise ValueError(f"variants: expected each once, found {', '.join(self.variants)}")
        return self


class Keys(Shared):
    """What the experiment adds to the configuration."""

    designs: Designs = Designs()

    @property
    def is_the_tutorials(self) -> bool:
        """Whether dataset, networks and training are those of the tutorial, so that its numbers compare."""
        free = {"variants", "gamma", "forum", "validation", "seed", "networks_jobs", "runs_per_job", "memory_gb"}
        same = self.designs.model_dump(exclude=free) == Designs().model_dump(exclude=free)
        return same and (self.dataset.kind, self.dataset.subset, self.dataset.difficult) == ("voc", "2007", "present")

    @property
    def feature_sets(self) -> dict[str, FeatureSet]:
        """See `Shared`."""
        found = super().feature_sets
        wanted = (self.designs.forum.preprocess, self.designs.forum.pooling)
        designs, base = found.get("", FeatureSet([], self.base))
        return found | {"": FeatureSet([*designs, *([] if wanted in designs else [wanted])], base)}
