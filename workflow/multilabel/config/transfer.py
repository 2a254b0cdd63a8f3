"""The keys of the experiment `transfer`: the runs of both stages, and what its figures compare."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from multilabel.config.patterns import expand
from multilabel.config.sections import ConfigError, Section, Seed
from multilabel.config.shared import Base, FeatureSet, Shared
from multilabel.experiments.transfer import runs
from multilabel.experiments.transfer.runs import FinetuneRun, TopModelRun
from multilabel.networks.names import LAYERS

if TYPE_CHECKING:
    from multilabel.datasets.labels import LabelMatrix

NOTES = """\
**Run names** follow the paper: `zmuvs_avg_2x4096d5_lr11_b256` is images normalised to zero mean and unit variance
(`inet`, `zmuvs`, `zmuvf`, `caffe`, `torch`), features averaged over the last map (`avg`, `max`, or all of it: `77`), 2
hidden layers of 4096 nodes with dropout 0.5 (`bn`: batch normalisation), learning rate 1·10⁻¹ (`lrXY`: X·10⁻ʸ), batch
size 256. Fine-tuned runs add the frozen layers (a number from the input, or `all` of the base), learning rate, batch
size and augmentation by the letters h (height shift), w (width shift), r (rotation), s (shear), z (zoom), f (flip):
`…_15_lr11_b128_hwrszf`. A pattern in braces stands for every combination, as in a shell.
"""


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
        [
            "{inet,zmuvs}_{77,max,avg}_1x1024d5_lr11_b32",
            "zmuvs_{max,avg}_1x{1024,2048,4096}d5_lr11_b32",
            "zmuvs_avg_{1,2}x{1024,2048,4096}d5_lr11_b256",
            "zmuvs_avg_2x4096d5_lr52_b256",
        ],
        description="runs beyond the grid, such as those of Fig. 4, each entry in jobs of its own, so that one added "
        "later trains alone",
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


class Figures(Section):
    """Which runs each panel compares: those of them that are trained. A panel with fewer than two is left out."""

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

    run: str = Field("", description="a run of stage 1, whose settings are used; empty: the first of grid.runs")
    sizes: list[int] = Field([300, 1000, 3000, 10000, 30000], description="numbers of training images, besides all")


PANELS = ("fig4a", "fig4b", "fig5a", "fig5b", "fig5c", "fig6")
COMPARABLE = 2
"""Runs of a panel that must be trained: a curve beside no other compares nothing."""


class Keys(Shared):
    """What the experiment adds to the configuration."""

    grid: Grid = Grid()
    finetune: Finetune = Finetune()
    figures: Figures = Figures()
    learning_curve: LearningCurve = LearningCurve()

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
    def feature_sets(self) -> dict[str, FeatureSet]:
        """Those of the runs of stage 1, and those that fine-tuned runs start from on a base with random weights."""
        found = super().feature_sets | {"": self._feature_set(self.top_models)}
        if self.finetune.random_base:
            starts = [run.top_model for run in self.finetuned]
            found["random_base"] = self._feature_set(starts, self.base.model_copy(update={"weights": "random"}))
        return found

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
        if not self.learning_curve.run:
            return self.top_models[0]
        (run,) = self._top_models("learning_curve.run", [self.learning_curve.run])[:1]
        return run

    def panel(self, figure: str) -> list[TopModelRun]:
        """The runs of one figure panel, such as `fig5a`, that are trained."""
        trained = set(self.top_models)
        return [run for run in self._top_models(f"figures.{figure}", getattr(self.figures, figure)) if run in trained]

    def is_drawn(self, figure: str) -> bool:
        """Whether enough runs of a figure panel are trained to compare them."""
        return len(self.panel(figure)) >= COMPARABLE

    @property
    def batches(self) -> list[list[TopModelRun]]:
        """Every run of stage 1, each once, in parts that know nothing of each other.

        The first has those of the grid, each further one those of an entry of `grid.extra`.
        """
        entries = [("grid.runs", self.grid.runs), *(("grid.extra", [entry]) for entry in self.grid.extra)]
        parts = [self._top_models(key, patterns) for key, patterns in entries]
        seen: set[TopModelRun] = set()
        fresh = []
        for part in parts:
            fresh.append([run for run in dict.fromkeys(part) if run not in seen])
            seen.update(part)
        return fresh

    @property
    def top_models(self) -> list[TopModelRun]:
        """Every run of stage 1: the grid and the extra ones; each once."""
        return [run for part in self.batches for run in part]

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
        layers = LAYERS.get(self.base.network.lower())
        for run in found:
            if isinstance(run, FinetuneRun) and layers and run.frozen != "all" and int(run.frozen) > layers:
                raise ConfigError(
                    f"finetune.runs: {run.short_name} freezes {run.frozen} layers, and {self.base.network} has "
                    f"{layers}; expected a number from 0 to {layers}, or all"
                )
        return [run for run in found if isinstance(run, FinetuneRun)]

    @model_validator(mode="after")
    def _runs_fit_together(self) -> "Keys":
        if self.grid.coverage:
            self.require_masks("grid.coverage is true")
        if not self.grid.runs:
            raise ValueError("grid.runs is empty; expected at least one run")
        if not self.finetune.runs:
            raise ValueError("finetune.runs is empty; expected at least one run")
        known = set(self.top_models)
        unknown = [run.short_name for run in self.repeated if run not in known]
        if unknown:
            raise ValueError(f"grid.repeated: expected runs of stage 1, found {', '.join(unknown)}")
        if self.learning_curve_run not in known:
            raise ValueError(f"learning_curve.run: {self.learning_curve.run} is no run of grid.runs or grid.extra")
        for figure in PANELS:
            self.panel(figure)
        for run in self.finetuned:
            if run.top_model not in known:
                near = difflib.get_close_matches(
                    run.top_model.short_name, [known_run.short_name for known_run in known], 1
                )
                raise ValueError(
                    f"finetune.runs: {run.short_name} starts from {run.top_model.short_name}, which is no run of "
                    f"grid.runs or grid.extra{f'; the nearest is {near[0]}' if near else ''}"
                )
        trained = {*known, *self.finetuned}
        unknown = [run.short_name for pair in self.comparisons for run in pair if run not in trained]
        if unknown:
            raise ValueError(f"evaluation.compare: expected runs of either stage, found {', '.join(unknown)}")
        return self

    def require_images(self, matrices: Mapping[str, "LabelMatrix"]) -> None:
        """Check that the test images have those of Fig. 7, with labels."""
        super().require_images(matrices)
        test = matrices[self.test_split]
        known = set(test.image_id[test.truth.any(axis=1)].tolist())
        unknown = [str(image) for image in self.figures.fig7 if image not in known]
        if unknown:
            raise ConfigError(
                f"figures.fig7: expected ids of labelled test images (split {self.test_split}), found others: "
                f"{', '.join(unknown)}; there are, for example, {', '.join(map(str, sorted(known)[:5]))}"
            )

    def _feature_set(self, run_list: Iterable[TopModelRun], base: Base | None = None) -> FeatureSet:
        return FeatureSet(sorted({(run.preprocess, run.extracted) for run in run_list}), base or self.base)

    def _top_models(self, key: str, patterns: Iterable[str]) -> list[TopModelRun]:
        found = self._parse(key, patterns)
        for run in found:
            if not isinstance(run, TopModelRun):
                raise ConfigError(f"{key}: {run.short_name} is a fine-tuned run; those belong in finetune.runs")
        return [run for run in found if isinstance(run, TopModelRun)]

    def _parse(self, key: str, patterns: Iterable[str]) -> list[runs.Run]:
        try:
            found = [runs.parse(name, self.dataset_id) for name in expand(patterns)]
        except ValueError as error:
            raise ConfigError(f"{key}: {error}") from error
        for run in found:
            if run.dataset != self.dataset_id:
                raise ConfigError(f"{key}: {run.name} is of another dataset than {self.dataset_id}")
        return list(dict.fromkeys(found))
