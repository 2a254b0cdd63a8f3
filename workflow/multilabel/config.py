"""The configuration as typed models: defaults are the paper at full size; a wrong entry is named with what is valid."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from multilabel import runs
from multilabel.runs import FinetuneRun, TopModelRun

Fraction = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[
    str, BeforeValidator(lambda value: str(value) if type(value) is int else value), Field(pattern=r"^[a-z0-9]+$")
]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class ConfigError(ValueError):
    """The configuration is wrong; the message lists every problem with its key."""


class Section(BaseModel):
    """A group of keys: no unknown ones, no silent conversion, not changed once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(Section):
    """One split as it lies on disk in COCO's format."""

    images: str = Field("", description="folder of the images")
    annotations: str = Field("", description="JSON file in COCO's format (images, annotations, categories)")


class TestSource(Source):
    """The test split: files of its own, or a part of train."""

    fraction: Fraction = Field(0.0, description="share of train that is held out for testing; 0: the files above")
    seed: Seed = Field(0, description="which images are held out")


class Validation(Section):
    """The split for early stopping, the choice of the final model and thresholds."""

    fraction: Fraction = Field(0.0, description="share of train; 0: the test split, as in the paper")
    seed: Seed = Field(0, description="which images are held out")


class Shapes(Section):
    """The generated dataset of `kind: shapes`."""

    train: int = Field(4000, ge=20, description="scenes for training")
    test: int = Field(400, ge=20, description="scenes for testing")
    single_objects: int = Field(16000, ge=20, description="images of one object, on which `weights: pretrain` trains")
    size: int = Field(64, ge=32, le=512, description="height and width in pixels")
    seed: Seed = Field(0, description="which scenes are drawn")


class Dataset(Section):
    """What is classified."""

    name: Name = Field("coco", description="first field of every run name")
    subset: Name = Field("2017", description="second field of every run name")
    kind: Literal["coco", "csv", "msrc", "scene", "shapes"] = Field(
        "coco",
        description="what the paths below hold: coco: COCO's format; csv: a table of file names and labels; "
        "msrc: MSRC v2, scene: Scene, as published; shapes: no paths, generated for the demo",
    )
    train: Source = Source(
        images="resources/coco_2017/train2017",
        annotations="resources/coco_2017/annotations/instances_train2017.json",
    )
    test: TestSource = TestSource(
        images="resources/coco_2017/val2017",
        annotations="resources/coco_2017/annotations/instances_val2017.json",
    )
    validation: Validation = Validation()
    crowds: bool = Field(False, description="count crowd annotations (iscrowd: 1) as labels; the author did not")
    damaged_images: Literal["stop", "skip"] = Field(
        "stop", description="stop: list all damaged or missing images; skip: leave them out and record them"
    )
    shapes: Shapes = Shapes()

    @model_validator(mode="after")
    def _sources_are_complete(self) -> "Dataset":
        if self.kind != "shapes":
            for key, value in [("train.images", self.train.images), ("train.annotations", self.train.annotations)]:
                if not value:
                    raise ValueError(f"{key} is empty; kind {self.kind} needs it")
            if not self.test.fraction and not (self.test.images and self.test.annotations):
                raise ValueError("test needs images and annotations, or a fraction of train above 0")
            default = type(self).model_fields
            if not self.test.fraction and (
                self.test.images == default["test"].default.images and self.train != default["train"].default
            ):
                raise ValueError("test is still that of COCO 2017; it needs images and annotations, or a fraction")
        if self.test.fraction + self.validation.fraction >= 1:
            raise ValueError("test.fraction and validation.fraction leave nothing of train; their sum must be below 1")
        return self


class Labels(Section):
    """What the networks are trained to give. Decisions and metrics are about labels that are there or not."""

    kind: Literal["presence", "coverage"] = Field(
        "presence",
        description="presence: 0 or 1; coverage: the share of the image that the class covers (section 6.3)",
    )


class Pretrain(Section):
    """Training of the demo's base network on single objects."""

    epochs: int = Field(4, ge=1, description="passes over the images")
    batch_size: int = Field(64, ge=1, description="images per step")
    learning_rate: float = Field(0.001, gt=0, description="of Adam")
    seed: Seed = Field(0, description="initial weights and order of the images")


class Base(Section):
    """The convolutional network below the top model."""

    network: str = Field("VGG16", description="a network of keras.applications")
    options: dict[str, float | int | bool | str] = Field({}, description="further arguments of it, such as alpha: 0.25")
    weights: str = Field(
        "official", description="official: Keras' ImageNet weights; random; pretrain (kind shapes only); or a file"
    )
    width: float = Field(1.0, gt=0, le=1, description="VGG16 only: factor on the number of filters")
    input_size: int = Field(224, ge=32, description="height and width in pixels to which images are resized")
    seed: Seed = Field(0, description="of random weights")
    pretrain: Pretrain = Pretrain()


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


class Training(Section):
    """Stochastic gradient descent with early stopping: what both stages share."""

    epochs: int = Field(500, ge=1, description="at most")
    patience: int = Field(10, ge=1, description="epochs without improvement before training stops")
    min_delta: float = Field(5e-5, ge=0, description="a smaller fall of the validation loss is no improvement")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov's")
    decay: float = Field(1e-6, ge=0, description="learning rate = lr / (1 + decay · step)")
    seed: Seed = Field(0, description="initial weights, order of the images, dropout, augmentation")


class Grid(Training):
    """Stage 1: top models on bottleneck features."""

    runs: list[str] = Field(
        ["zmuvs_avg_{1,2}x{1024,2048,4096}d5_lr{11,52}_b{32,64,128}"],
        description="names or patterns with braces; the paper's grid has 36",
    )
    extra: list[str] = Field(
        ["zmuvs_avg_{1,2}x{1024,2048,4096}d5_lr11_b256", "zmuvs_avg_2x4096d5_lr52_b256"],
        description="runs beyond the grid; those that figures name are added by themselves",
    )
    seeds: int = Field(
        1,
        ge=1,
        description="how often runs are trained: with seed, seed + 1, …; tables then give mean ± standard deviation, "
        "figures bands",
    )
    repeated: list[str] = Field([], description="the runs of which that is wanted; empty: all of stage 1")
    coverage: bool = Field(
        False,
        description="where labels.kind is presence, also train the top models that fine-tuning starts from on coverage "
        "labels: a further row in the table of metrics",
    )
    runs_per_job: int = Field(6, ge=1, description="runs that share one process: start-up and features are paid once")
    memory_gb: float = Field(
        2.0, ge=0, description="a file of features is kept in memory up to this size, else read in each epoch"
    )


class Finetune(Training):
    """Stage 2: base and top model on images."""

    runs: list[str] = Field(
        ["zmuvs_avg_2x4096d5_{lr11_b128,lr11_b256,lr52_b128}_{15,all}_lr11_b128_hwrszf"],
        description="names or patterns with braces; each top model they start from must be one of the runs of stage 1",
    )
    random_base: bool = Field(
        False, description="also train the same top models on features of the base with random weights, as a baseline"
    )
    memory_gb: float = Field(2.0, ge=0, description="decoded images are kept in memory up to this size")


class Evaluation(Section):
    """Label decisions and Table 2."""

    k: int = Field(3, ge=1, description="labels per image of the top-k decision")
    ties: int = Field(10, ge=1, description="draws over which 'best possible' is averaged (ties are broken at random)")
    seed: Seed = Field(0, description="of those draws, and of the perturbed test images of row d")
    criterion: str = Field(
        "top_k_per_image_micro_f1",
        description="the final model has the highest value of this metric on validation images",
    )
    resamples: int = Field(
        1000, ge=100, description="bootstrap resamples of the test images behind the 95 % intervals; drawn by the seed"
    )
    compare: list[str] = Field(
        [],
        description="run patterns, such as zmuvs_avg_2x{4096,2048}d5_lr11_b128: the first run of each is compared with "
        "its others on the same resamples, as the final model is with all evaluated runs",
    )


class Figures(Section):
    """Which runs each panel compares."""

    fig4a: list[str] = Field(
        ["{inet,zmuvs}_{77,max,avg}_1x1024d5_lr11_b32"], description="normalisations and classifier designs"
    )
    fig4b: list[str] = Field(
        ["zmuvs_{max,avg}_1x{1024,2048,4096}d5_lr11_b32"], description="global pooling and layer size"
    )
    fig5a: list[str] = Field(
        ["zmuvs_avg_{1,2}x{1024,2048,4096}d5_lr11_b128"], description="number and size of hidden layers"
    )
    fig5b: list[str] = Field(
        ["zmuvs_avg_{1,2}x4096d5_lr{11,52}_b128"], description="number of hidden layers and learning rate"
    )
    fig5c: list[str] = Field(
        ["zmuvs_avg_2x{1024,2048,4096}d5_lr{11,52}_b128"], description="layer size and learning rate"
    )
    fig6: list[str] = Field(
        ["zmuvs_avg_2x4096d5_lr11_b{64,128,256}", "zmuvs_avg_2x4096d5_lr52_b{32,64,128}"],
        description="learning rate and batch size, by epoch (6a) and by time (6b)",
    )
    fig7: list[int] = Field([], description="image ids of Fig. 7 and Table 3; empty: from good to bad predictions")
    reference: bool = Field(
        True,
        description="draw the author's own curves, thin, beside ours of the same run names (COCO 2017)",
    )


class LearningCurve(Section):
    """How many images training needs, with all of their labels and with one (section 2.1 of the paper)."""

    run: str = Field("zmuvs_avg_1x1024d5_lr11_b32", description="a run of stage 1, whose settings are used")
    sizes: list[int] = Field([300, 1000, 3000, 10000, 30000], description="numbers of training images, besides all")


PANELS = ("fig4a", "fig4b", "fig5a", "fig5b", "fig5c", "fig6")


class Miml(Section):
    """Linear classifiers on features of all blocks, over random splits (Dong et al. 2015): the target `miml`."""

    source: Literal["train", "test"] = Field("train", description="which files of `dataset` the splits are drawn from")
    preprocess: Literal["inet", "zmuvs", "caffe", "torch"] = Field("caffe", description="normalisation of the images")
    blocks: list[str] = Field(
        [f"block{number}_pool" for number in range(1, 6)], description="layers whose maps are pooled over quadrants"
    )
    bag: str = Field("fc2", description="layer of the whole image; average: the mean over the last map")
    splits: int = Field(30, ge=2, description="random splits")
    share: float = Field(2 / 3, gt=0, lt=1, description="of the images that train")
    sizes: list[int] = Field(
        [30, 60, 100, 150, 200, 250, 300, 350], description="numbers of training images of Fig. 3, besides all"
    )
    c: float = Field(1.0, gt=0, description="liblinear's cost; 1 is the paper's λ")
    solver: Literal["own", "liblinear"] = Field(
        "own", description="liblinear: scikit-learn's, slower, as the reference"
    )
    seed: Seed = Field(1, description="of the splits")
    splits_per_job: int = Field(10, ge=1, description="splits that share one process")
    beside: list[str] = Field([], description="datasets whose finished results Fig. 3 also shows, such as msrc_v2")


class Threads(Section):
    """Threads of a job. They are part of the result: sums in another order differ in the last digits."""

    features: int = Field(8, ge=1, description="extraction and predictions")
    training: int = Field(4, ge=1, description="top models")
    finetuning: int = Field(8, ge=1, description="fine-tuning and pretraining")


class Config(Section):
    """The whole configuration."""

    dataset: Dataset = Dataset()
    labels: Labels = Labels()
    base: Base = Base()
    downloads: Downloads = Downloads()
    features: Features = Features()
    grid: Grid = Grid()
    finetune: Finetune = Finetune()
    evaluation: Evaluation = Evaluation()
    figures: Figures = Figures()
    learning_curve: LearningCurve = LearningCurve()
    miml: Miml = Miml()
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
    def departures(self) -> list[str]:
        """In words, where dataset, network and training are not those of the paper at full size."""
        paper = type(self)()
        keys = {
            "dataset": ("name", "subset", "kind"),
            "labels": ("kind",),
            "base": ("network", "options", "weights", "width", "input_size"),
            "grid": tuple(Training.model_fields),
            "finetune": tuple(Training.model_fields),
        }
        return [
            f"{section}.{key} is {getattr(getattr(self, section), key)}, not {getattr(getattr(paper, section), key)}"
            for section, names in keys.items()
            for key in names
            if key != "seed" and getattr(getattr(self, section), key) != getattr(getattr(paper, section), key)
        ]

    @property
    def splits(self) -> list[str]:
        """`train` and `val`; and `test` where validation images are a part of train."""
        return ["train", "val"] + (["test"] if self.dataset.validation.fraction else [])

    @property
    def test_split(self) -> str:
        """The split on which the tables are computed; the paper tests on the split that also stops training."""
        return self.splits[-1]

    @property
    def repeated(self) -> list[TopModelRun]:
        """The runs of stage 1 that are trained with several seeds."""
        if self.grid.seeds == 1:
            return []
        return self._top_models("grid.repeated", self.grid.repeated) or self.top_models

    @property
    def further_seeds(self) -> list[int]:
        """The seeds besides `grid.seed`."""
        return [self.grid.seed + number for number in range(1, self.grid.seeds)]

    @property
    def learning_curve_run(self) -> TopModelRun:
        """The run whose settings the learning curve uses."""
        (run,) = self._top_models("learning_curve.run", [self.learning_curve.run])[:1]
        return run

    def panel(self, figure: str) -> list[TopModelRun]:
        """The runs of one figure panel, such as `fig5a`."""
        return self._top_models(f"figures.{figure}", getattr(self.figures, figure))

    @property
    def top_models(self) -> list[TopModelRun]:
        """Every run of stage 1: the grid, the extra ones, and those that figures name; each once."""
        wanted = self._top_models("grid.runs", self.grid.runs) + self._top_models("grid.extra", self.grid.extra)
        for figure in PANELS:
            wanted += self.panel(figure)
        return list(dict.fromkeys(wanted))

    @property
    def comparisons(self) -> list[tuple[runs.Run, runs.Run]]:
        """The pairs of runs of either stage that are to be compared."""
        pairs = []
        for pattern in self.evaluation.compare:
            first, *others = self._parse("evaluation.compare", [pattern])
            pairs += [(first, other) for other in others]
        return pairs

    @property
    def finetuned(self) -> list[FinetuneRun]:
        """Every run of stage 2."""
        found = self._parse("finetune.runs", self.finetune.runs)
        for run in found:
            if not isinstance(run, FinetuneRun):
                raise ConfigError(f"finetune.runs: {run.short_name} has no second stage, such as _15_lr11_b128_hwrszf")
            if run.top_model.pooling != run.top_model.extracted:
                raise ConfigError(
                    f"finetune.runs: {run.short_name} starts from whitened features, for which the network has no "
                    f"layer; expected {run.top_model.extracted} in place of {run.top_model.pooling}"
                )
        return [run for run in found if isinstance(run, FinetuneRun)]

    @field_validator("base")
    @classmethod
    def _pretrain_only_for_vgg16(cls, base: Base) -> Base:
        if base.width != 1 and base.network.lower() != "vgg16":
            raise ValueError(f"width {base.width} is for VGG16; {base.network} has options of its own (base.options)")
        return base

    @model_validator(mode="after")
    def _runs_fit_together(self) -> "Config":
        if self.base.weights == "pretrain" and self.dataset.kind != "shapes":
            raise ValueError(
                f"base.weights is pretrain, which needs dataset.kind shapes; found {self.dataset.kind}. "
                "Use official, random or the path of a weights file"
            )
        masks = self.dataset.kind in ("coco", "shapes")
        for what, needs_masks in (
            ("labels.kind is coverage", self.labels.kind == "coverage"),
            ("grid.coverage is true", self.grid.coverage),
        ):
            if needs_masks and not masks:
                raise ValueError(
                    f"{what}, which needs the masks of dataset.kind coco or shapes; found {self.dataset.kind}"
                )
        if not self.grid.runs:
            raise ValueError("grid.runs is empty; expected at least one run")
        if not self.finetune.runs:
            raise ValueError("finetune.runs is empty; expected at least one run")
        known = set(self.top_models)
        unknown = [run.short_name for run in self.repeated if run not in known]
        if unknown:
            raise ValueError(f"grid.repeated: expected runs of stage 1, found {', '.join(unknown)}")
        if self.learning_curve_run not in known:
            raise ValueError(
                f"learning_curve.run: {self.learning_curve.run} is no run of grid.runs, grid.extra or figures"
            )
        for run in self.finetuned:
            if run.top_model not in known:
                near = difflib.get_close_matches(
                    run.top_model.short_name, [known_run.short_name for known_run in known], 1
                )
                raise ValueError(
                    f"finetune.runs: {run.short_name} starts from {run.top_model.short_name}, which is no run of "
                    f"grid.runs, grid.extra or figures{f'; the nearest is {near[0]}' if near else ''}"
                )
        trained = {*known, *self.finetuned}
        unknown = [run.short_name for pair in self.comparisons for run in pair if run not in trained]
        if unknown:
            raise ValueError(f"evaluation.compare: expected runs of either stage, found {', '.join(unknown)}")
        return self

    def _top_models(self, key: str, patterns: Iterable[str]) -> list[TopModelRun]:
        found = self._parse(key, patterns)
        for run in found:
            if not isinstance(run, TopModelRun):
                raise ConfigError(f"{key}: {run.short_name} is a fine-tuned run; those belong in finetune.runs")
        return [run for run in found if isinstance(run, TopModelRun)]

    def _parse(self, key: str, patterns: Iterable[str]) -> list[runs.Run]:
        try:
            found = [runs.parse(name, self.dataset_id) for name in runs.expand(patterns)]
        except ValueError as error:
            raise ConfigError(f"{key}: {error}") from error
        for run in found:
            if run.dataset != self.dataset_id:
                raise ConfigError(f"{key}: {run.name} is of another dataset than {self.dataset_id}")
        return list(dict.fromkeys(found))


def load(values: Mapping[str, Any]) -> Config:
    """Check a configuration as read from YAML.

    Raises:
        ConfigError: names each wrong key, what was found and what is allowed, and the nearest key for an unknown one.
    """
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        problems = [_describe(problem) for problem in error.errors()]
        raise ConfigError("\n".join([f"the configuration has {len(problems)} problem(s):", *problems])) from None


def _describe(problem: Any) -> str:
    """One line about one of pydantic's errors: key, what is wrong, what was found."""
    location, found = problem["loc"], problem["input"]
    key = ".".join(map(str, location)) or "configuration"
    if problem["type"] == "extra_forbidden":
        allowed = _keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), allowed, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"  {key}: unknown key; {hint}allowed here: {', '.join(allowed)}"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(found, (Mapping, BaseModel)):
        return f"  {key}: {message}"
    return f"  {key}: {message[0].lower()}{message[1:]}; found {found!r}"


def _keys(location: Iterable[Any]) -> list[str]:
    """The keys that are allowed at a place of the configuration."""
    model: Any = Config
    for step in location:
        model = model.model_fields[step].annotation
        model = next((kind for kind in get_args(model) if isinstance(kind, type)), model)
    return list(model.model_fields)


def existing_paths(config: Config, made: Collection[str] = ()) -> None:
    """Check that every path that the configuration names exists, or is among those that can be `made`.

    Raises:
        ConfigError: names each key whose path is missing.
    """
    paths = {}
    if config.dataset.kind != "shapes":
        sources = {"train": config.dataset.train} | (
            {} if config.dataset.test.fraction else {"test": config.dataset.test}
        )
        for split, source in sources.items():
            paths[f"dataset.{split}.images"] = source.images
            paths[f"dataset.{split}.annotations"] = source.annotations
    if config.base.weights not in ("official", "random", "pretrain"):
        paths["base.weights"] = config.base.weights
    missing = [
        f"  {key}: no such path: {path}" for key, path in paths.items() if not (Path(path).exists() or path in made)
    ]
    if missing:
        raise ConfigError("\n".join(["the configuration names what is not there:", *missing]))
