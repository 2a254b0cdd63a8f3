"""The sections that serve every experiment."""

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, field_validator, model_validator

from multilabel.config.dataset import Dataset, Labels
from multilabel.config.sections import ConfigError, Section, Seed
from multilabel.datasets.published import DATASETS, weights_of_torchvision
from multilabel.evaluation import names
from multilabel.networks.names import NETWORKS, RESNETS, TORCHVISION

if TYPE_CHECKING:
    from multilabel.datasets.labels import LabelMatrix


class Pretrain(Section):
    """Training of the demo's base network on single objects."""

    epochs: int = Field(4, ge=1, description="passes over the images")
    batch_size: int = Field(64, ge=1, description="images per step")
    learning_rate: float = Field(0.001, gt=0, description="of Adam")
    seed: Seed = Field(0, description="initial weights and order of the images")


class Base(Section):
    """The convolutional network below the top model."""

    network: str = Field(
        "VGG16", description="a network of keras.applications; or one as torchvision builds it: torchvision.resnet50"
    )
    options: dict[str, float | int | bool | str] = Field({}, description="further arguments of it, such as alpha: 0.25")
    weights: str = Field(
        "official",
        description="official: Keras' or PyTorch's ImageNet weights; random; pretrain (kind shapes only); or a file",
    )
    width: float = Field(1.0, gt=0, le=1, description="VGG16 only: factor on the number of filters")
    input_size: int = Field(224, ge=32, description="height and width in pixels to which images are resized")
    seed: Seed = Field(0, description="of random weights")
    pretrain: Pretrain = Pretrain()

    @field_validator("network")
    @classmethod
    def _network_is_of_keras(cls, network: str) -> str:
        by_name = {name.lower(): name for name in (*NETWORKS, *(TORCHVISION + name for name in RESNETS))}
        if network.lower() not in by_name:
            near = difflib.get_close_matches(network.lower(), by_name, 3)
            allowed = [by_name[name] for name in near] or list(by_name.values())
            hint = f"{'near:' if near else 'one of'} {', '.join(allowed)}"
            raise ValueError(f"expected a network of keras.applications or torchvision, {hint}")
        return network


class Downloads(Section):
    """Where published archives and weights come from. Those of COCO 2017 are unpacked where `dataset` expects them."""

    folder: str = Field(
        "resources/downloads", description="where they are kept; a copy that is there is used once its md5 is verified"
    )
    mirrors: list[str] = Field(
        [], description="addresses of folders with the same files, asked before the official ones"
    )
    attempts: int = Field(5, ge=1, description="connections to an address that gives nothing before it is given up")


class Features(Section):
    """One pass over the images writes the bottleneck features that the runs need."""

    batch_size: int = Field(32, ge=1, description="images per forward pass")
    workers: int = Field(4, ge=1, description="threads that decode images")
    shards: int = Field(1, ge=1, description="jobs that share the images of a split, for several GPUs or machines")
    mixed_precision: bool = Field(
        False, description="run the network in float16, for GPUs; weights and pooling stay float32"
    )
    xla: bool = Field(False, description="compile the network with XLA, for GPUs; CPUs are faster without")
    zca_epsilon: float = Field(
        0.01, ge=0, description="of avgzca and maxzca: share of the mean variance that whitening adds to each"
    )


class Evaluation(Section):
    """Label decisions, intervals and the choice of the final model."""

    k: int = Field(3, ge=1, description="labels per image of the top-k decision")
    ties: int = Field(
        10,
        ge=1,
        description="draws over which perfect scores, cut at k labels with ties broken at random, are averaged",
    )
    seed: Seed = Field(0, description="of those draws, and of perturbed test images")
    criterion: str = Field(
        "top_k_per_image_micro_f1",
        description="the final model has the highest value of this metric on validation images",
    )
    resamples: int = Field(
        1000, ge=100, description="bootstrap resamples of the test images behind the 95 % intervals; drawn by the seed"
    )
    compare: list[str] = Field(
        [],
        description="patterns of run names with braces: the first run of each is compared with its others on the same "
        "resamples, as the final model is with all evaluated runs",
    )

    @field_validator("criterion")
    @classmethod
    def _criterion_is_a_metric(cls, criterion: str) -> str:
        if criterion not in names.BETTER:
            near = difflib.get_close_matches(criterion, names.BETTER, 3)
            hint = f"near: {', '.join(near)}" if near else f"one of {', '.join(names.BETTER)}"
            raise ValueError(f"expected a metric of which more is better, {hint}")
        return criterion


class Threads(Section):
    """Threads of a job. They are part of the result: sums in another order differ in the last digits."""

    features: int = Field(8, ge=1, description="extraction and predictions")
    training: int = Field(4, ge=1, description="top models")
    finetuning: int = Field(8, ge=1, description="fine-tuning and pretraining")


class FeatureSet(NamedTuple):
    """Features that one pass over the images of a split writes: (preprocess, pooling) of each, and their network."""

    designs: list[tuple[str, str]]
    base: Base


class Shared(Section):
    """What every experiment finds in the configuration; each lays its own keys over it."""

    dataset: Dataset = Dataset()
    labels: Labels = Labels()
    base: Base = Base()
    downloads: Downloads = Downloads()
    features: Features = Features()
    evaluation: Evaluation = Evaluation()
    tensorboard: bool = Field(
        False, description="also write the progress of training for TensorBoard, to results/{dataset}/tensorboard/{run}"
    )
    gpu: bool = Field(
        True,
        description="whether extraction, training and predictions ask for a GPU; without, they share the CPU cores",
    )
    threads: Threads = Threads()

    @property
    def dataset_id(self) -> str:
        """Name and subset: the folder of the results and the start of every run name."""
        return f"{self.dataset.name}_{self.dataset.subset}"

    @property
    def oriented(self) -> bool:
        """Whether images are turned as their EXIF says."""
        asked = self.dataset.exif_orientation
        return asked == "apply" or (asked == "auto" and self.dataset_id not in DATASETS)

    @property
    def splits(self) -> list[str]:
        """`train` and `val`; and `test` where validation images are a part of train."""
        return ["train", "val"] + (["test"] if self.dataset.validation.fraction else [])

    @property
    def test_split(self) -> str:
        """The split on which the tables are computed: `val` where the test images also stop training."""
        return self.splits[-1]

    @property
    def feature_sets(self) -> dict[str, FeatureSet]:
        """What the experiments want of the shared extraction, by the folder below the results; each adds its own."""
        return {}

    @property
    def counts_unlabelled(self) -> list[str]:
        """The folders of runs below the results whose metrics count images without labels; each experiment adds."""
        return []

    @property
    def named_paths(self) -> dict[str, str]:
        """Key → path of what has to be there beside dataset and weights; each experiment adds its own."""
        return {}

    @field_validator("base")
    @classmethod
    def _width_only_for_vgg16(cls, base: Base) -> Base:
        if base.width != 1 and base.network.lower() != "vgg16":
            raise ValueError(f"width {base.width} is for VGG16; {base.network} has options of its own (base.options)")
        if base.width != 1 and base.weights == "official":
            raise ValueError(f"width {base.width} has no official weights; use random, pretrain or a weights file")
        if base.network.startswith(TORCHVISION) and base.weights == "official":
            weights_of_torchvision(base.network.removeprefix(TORCHVISION))
        return base

    @model_validator(mode="after")
    def _dataset_has_what_is_asked(self) -> "Shared":
        if self.base.weights == "pretrain" and self.dataset.kind != "shapes":
            raise ValueError(
                f"base.weights is pretrain, which needs dataset.kind shapes; found {self.dataset.kind}. "
                "Use official, random or the path of a weights file"
            )
        if self.labels.kind == "coverage":
            self.require_masks("labels.kind is coverage")
        return self

    def require_classes(self, count: int) -> None:
        """Check that the dataset has as many classes as keys ask for.

        Raises:
            ConfigError: it has not.
        """
        if self.evaluation.k > count:
            raise ConfigError(
                f"evaluation.k is {self.evaluation.k} labels per image, and {self.dataset_id} has {count} "
                f"class{'es' if count > 1 else ''}; expected a number from 1 to {count}"
            )

    def require_images(self, matrices: Mapping[str, "LabelMatrix"]) -> None:
        """Check that the splits have the images that keys name; each experiment adds its own.

        Raises:
            ConfigError: they have not.
        """

    def require_masks(self, what: str) -> None:
        """Check that the dataset has masks, which `what` needs."""
        if self.dataset.kind not in ("coco", "shapes"):
            raise ValueError(f"{what}, which needs the masks of dataset.kind coco or shapes; found {self.dataset.kind}")
