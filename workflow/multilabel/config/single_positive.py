"""The keys of the experiment `single_positive`."""

from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from multilabel.config.sections import Fraction, Section, Seed
from multilabel.config.shared import FeatureSet, Shared
from multilabel.experiments.single_positive.runs import ALL, Run, Study, chosen_name, search, short_rate

OWN = "single_positive"
"""Where features lie that no other experiment has extracted."""
NETWORK = "torchvision.resnet50"
"""The paper's."""
LossName = Literal["bce", "bce_ls", "iun", "iu", "pr", "an", "an_ls", "wan", "epr", "role"]


class Search(Section):
    """One way of training: which losses, how long, and the settings that are searched."""

    losses: list[LossName] = Field([*get_args(LossName)], description="which are trained; all: bce … role")
    epochs: int = Field(25, ge=1, description="passes over the images; the best by validation mAP is kept")
    batch_sizes: list[int] = Field([8, 16], description="images per step that are tried, with each learning rate")
    learning_rates: list[float] = Field(
        [1e-2, 1e-3, 1e-4, 1e-5], description="of Adam; one digit times a power of ten, written 1.0e-3"
    )
    seeds: int = Field(
        1, ge=1, description="the best settings are trained with seed, seed + 1, …; tables give intervals"
    )

    @field_validator("batch_sizes", "learning_rates")
    @classmethod
    def _something_is_tried(cls, values: list[float]) -> list[float]:
        if not values or min(values) <= 0 or len(set(values)) < len(values):
            raise ValueError("expected different numbers above 0, at least one")
        return values

    @field_validator("learning_rates")
    @classmethod
    def _rates_have_names(cls, values: list[float]) -> list[float]:
        for value in values:
            short_rate(value)
        return values


class Start(Section):
    """The linear run whose classifier and label estimates LinearInit starts from."""

    batch_size: int = Field(16, ge=1, description="one of linear.batch_sizes")
    learning_rate: float = Field(1e-3, gt=0, description="one of linear.learning_rates")


class Starts(Section):
    """LinearInit exists for two losses, as published."""

    role: Start = Start()
    an_ls: Start = Start(batch_size=8, learning_rate=1e-4)


class SinglePositive(Section):
    """Training on one positive label per image (Cole et al. 2021): the target `single_positive`."""

    preprocess: Literal["inet", "zmuvs", "caffe", "torch"] = Field("torch", description="normalisation of the images")
    expected: float = Field(
        2.9, gt=0, description="k of EPR and ROLE: positive labels per image; COCO 2.9, VOC 2012 1.5"
    )
    observed: list[int | float | Literal["all"]] = Field(
        [1, 2, 4, "all"],
        description="observed positive labels per image: numbers, shares below 1, or all; the tables show the first, a "
        "figure all of them",
    )
    observed_losses: list[LossName] = Field(
        ["an", "an_ls", "wan", "epr", "role"], description="losses that are trained on the others of these, linearly"
    )
    seed: Seed = Field(1200, description="which labels are observed, and the validation split; 1200 as published")
    training_seed: Seed = Field(0, description="of initial weights and the order of the images")
    validation: Fraction = Field(
        0.2,
        gt=0,
        description="share of train that chooses epochs and runs, where dataset.validation.fraction is 0; else the "
        "dataset's own validation images do",
    )
    validation_labels: Literal["clean", "observed"] = Field(
        "clean", description="what of their labels is used: all, or only what is observed"
    )
    linear: Search = Search()
    end_to_end: Search = Search(epochs=10)
    linear_init: Starts = Starts()
    linear_init_losses: list[Literal["role", "an_ls"]] = Field(
        ["role", "an_ls"], description="which are also fine-tuned from a linear run"
    )
    k: list[int] = Field([1, 3, 5], description="of precision and recall at k")
    drop_last: bool = Field(
        True, description="score as published: without the test images of the last batch where it is short"
    )
    examples: list[int] = Field([], description="image ids of Fig. 2; empty: the first with most labels")
    studies_per_job: int = Field(1, ge=1, description="linear searches that share one process and its features")
    memory_gb: float = Field(2.0, ge=0, description="decoded images are kept in memory up to this size")

    @field_validator("observed")
    @classmethod
    def _numbers_of_labels(cls, values: list[int | float | str]) -> list[int | float | str]:
        bad = [
            v
            for v in values
            if not (v == ALL or (isinstance(v, int) and v >= 1) or (isinstance(v, float) and 0 < v < 1))
        ]
        if bad or not values:
            raise ValueError(f"expected whole numbers from 1, shares between 0 and 1, or all, at least one; not {bad}")
        return values

    @field_validator("k")
    @classmethod
    def _k_is_positive(cls, values: list[int]) -> list[int]:
        if any(k < 1 for k in values):
            raise ValueError("expected numbers from 1 to the number of labels")
        return values

    @model_validator(mode="after")
    def _something_is_hidden(self) -> "SinglePositive":
        if not any(Study("linear", loss).supervision == "positives" for loss in self.linear.losses):
            raise ValueError("linear.losses: expected at least one of pr, an, an_ls, wan, epr and role")
        return self

    @model_validator(mode="after")
    def _starts_are_trained(self) -> "SinglePositive":
        for loss in self.linear_init_losses:
            start, study = getattr(self.linear_init, loss), Study("linear", loss, self.main)
            found = search(study, self.linear.batch_sizes, self.linear.learning_rates, self.training_seed)
            if loss not in self.linear.losses or self.start_of(study) not in found:
                raise ValueError(
                    f"linear_init_losses: {loss} starts from a linear run with batch size {start.batch_size} and "
                    f"learning rate {start.learning_rate:g} (linear_init.{loss}), which linear does not have"
                )
        return self

    @property
    def main(self) -> str:
        """The number of observed labels that the tables show, as text."""
        return str(self.observed[0])

    @property
    def linear_studies(self) -> list[Study]:
        """All searches on features: every loss on the first number of observed labels, some on the others."""
        first = [Study("linear", loss, self.main) for loss in self.linear.losses]
        others = [Study("linear", loss, str(number)) for number in self.observed[1:] for loss in self.observed_losses]
        return first + others

    @property
    def image_studies(self) -> list[Study]:
        """All searches on images."""
        fresh = [Study("end_to_end", loss, self.main) for loss in self.end_to_end.losses]
        return fresh + [Study("linear_init", loss, self.main) for loss in self.linear_init_losses]

    @property
    def studies(self) -> list[Study]:
        """All of them."""
        return self.linear_studies + self.image_studies

    def settings(self, mode: str) -> dict[str, Any]:
        """What runs of a mode share; see `single_positive.training.Settings`."""
        return self._search(mode).model_dump(exclude={"losses"}) | {
            "seed": self.training_seed,
            "expected": self.expected,
        }

    def searched(self, study: Study) -> list[Run]:
        """The runs of a study's search."""
        section = self._search(study.mode)
        return search(study, section.batch_sizes, section.learning_rates, self.training_seed)

    def seeds(self, mode: str) -> list[int]:
        """With which the chosen settings of a mode's studies are trained."""
        return [self.training_seed + number for number in range(self._search(mode).seeds)]

    def chosen_names(self, study: Study) -> list[str]:
        """What the chosen settings with each seed are called."""
        return [chosen_name(study, seed) for seed in self.seeds(study.mode)]

    def _search(self, mode: str) -> Search:
        return self.linear if mode == "linear" else self.end_to_end

    def start_of(self, study: Study) -> Run:
        """The linear run that a LinearInit study starts from."""
        start = getattr(self.linear_init, study.loss)
        linear = Study("linear", study.loss, study.observed)
        return Run(linear, start.batch_size, start.learning_rate, self.training_seed)


class Keys(Shared):
    """What the experiment adds to the configuration."""

    single_positive: SinglePositive = SinglePositive()

    @property
    def feature_sets(self) -> dict[str, FeatureSet]:
        """The averages over the last map, if no other experiment has them extracted anyway."""
        found, design = super().feature_sets, (self.single_positive.preprocess, "avg")
        shared = found.get("")
        return found if shared and design in shared.designs else found | {OWN: FeatureSet([design], self.base)}

    @property
    def single_positive_features(self) -> str:
        """The folder below the results where the features lie; empty: the results themselves."""
        return OWN if OWN in self.feature_sets else ""

    @property
    def single_positive_record(self) -> dict[str, Any]:
        """The keys that all runs of the experiment depend on."""
        unused = {"validation"} if self.dataset.validation.fraction else set()
        keys = {"preprocess", "seed", "validation", "validation_labels", "expected"} - unused
        return self.single_positive.model_dump(include=keys)

    @property
    def single_positive_departures(self) -> list[str]:
        """In words, where dataset, network and labels are not those of paper 001 at full size."""
        keys = self.single_positive
        paper = {
            "dataset": (self.dataset_id, "coco_2014"),
            "dataset.crowds": (self.dataset.crowds, True),
            "dataset.validation.fraction": (self.dataset.validation.fraction, 0),
            "base.network": (self.base.network, NETWORK),
            "base.input_size": (self.base.input_size, 448),
            "single_positive.preprocess": (keys.preprocess, "torch"),
            "single_positive.observed": (keys.main, "1"),
            "single_positive.linear.epochs": (keys.linear.epochs, 25),
            "single_positive.end_to_end.epochs": (keys.end_to_end.epochs, 10),
        }
        return [f"{key} is {found}, not {theirs}" for key, (found, theirs) in paper.items() if found != theirs]
