"""What experiments offer for comparison: methods, each one way to label images, with where its runs lie.

An experiment that has any brings a module `methods` with a function of that name, from the configuration to a list of
`Method` and `LeftOut`. All paths are below the results of the dataset. Methods hold for datasets with validation images
of their own (`dataset.validation.fraction` above 0): then all experiments train, choose and test on the same images.
"""

import math
from collections.abc import Mapping
from importlib import import_module, util
from typing import Any, NamedTuple

from multilabel.experiments import EXPERIMENTS


class Run(NamedTuple):
    """A finished run: its scores of validation and test images are `{place}/predictions/{name}/{val,test}.h5`.

    `record` is its run.json, whose results have `trained_parameters`; `timing` the CSV files of all that was trained
    for it, with columns `seconds` (add them up) and `memory_mb` (the process's peak). Both are empty where nothing is
    trained.
    """

    name: str
    place: str = ""
    record: str = ""
    timing: tuple[str, ...] = ()

    def scores(self, split: str) -> str:
        """Where its scores of a split lie."""
        return "/".join(filter(None, [self.place, "predictions", self.name, f"{split}.h5"]))


class Scores(NamedTuple):
    """Scores of the test images: a predictions file, or a group of a file, see `predictions.save_several`."""

    path: str
    group: str = "/"


class Method(NamedTuple):
    """One way to label images.

    `candidates` has the runs among which validation images choose, by `evaluation.criterion`: each with all its seeds,
    the first of which counts for intervals and cost. `models` has the model file of each candidate's first seed; one
    that an experiment writes of the chosen candidate alone stands there for each. `labels` is how many of an image's
    positive labels training sees at most. `smaller` has, for methods whose training is cheap, scores of the test images
    after training on fewer images, by their number; where there are not so many, a group is absent, and a file stands
    for all of them.
    """

    name: str
    title: str
    candidates: tuple[tuple[Run, ...], ...]
    models: tuple[str, ...]
    labels: float = math.inf
    smaller: Mapping[int, Scores] = {}


class LeftOut(NamedTuple):
    """A method that the configuration or the dataset cannot have, and why."""

    name: str
    title: str
    reason: str


def offered(config: Any) -> dict[str, Method | LeftOut]:
    """What all experiments offer for a configuration, by name."""
    found: dict[str, Method | LeftOut] = {}
    for experiment in EXPERIMENTS:
        name = f"multilabel.experiments.{experiment}.methods"
        if util.find_spec(name):
            found |= {offer.name: offer for offer in import_module(name).methods(config)}
    return found
