"""What is trained: studies, each the search over batch size and learning rate of one loss, and their runs."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

MODES = {"linear": "Linear", "linear_init": "LinearInit", "end_to_end": "Fine-tuned"}
"""Linear: a linear classifier on fixed features. Fine-tuned: the whole network, from a fresh classifier or, with
LinearInit, from the classifier and the label estimates of a linear run."""
ALL = "all"


@dataclass(frozen=True)
class Study:
    """A loss in a mode, on so many observed labels per image; its best run by validation mAP is its result."""

    mode: str
    loss: str
    observed: str = "1"

    @property
    def name(self) -> str:
        """Such as `linear_role_o1`; a share of 0.5 is written `o50p`."""
        share = f"{round(100 * float(self.observed))}p" if "." in self.observed else self.observed
        return f"{self.mode}_{self.loss}_o{share}"

    @property
    def positives(self) -> float:
        """How many labels per image are observed at most, or which share; see `observation.draw`."""
        return float("inf") if self.observed == ALL else float(self.observed)


@dataclass(frozen=True)
class Run:
    """One training of a study."""

    study: Study
    batch_size: int
    learning_rate: float
    seed: int

    @property
    def name(self) -> str:
        """Such as `linear_role_o1_b16_lr13_s0`; lr13 is 1e-3, as in all run names."""
        return f"{self.study.name}_b{self.batch_size}_lr{_short(self.learning_rate)}_s{self.seed}"


class Choice(NamedTuple):
    """A run with the validation mAP of its best epoch, and that epoch, from 0."""

    run: Run
    epoch: int
    value: float


def search(study: Study, batch_sizes: Sequence[int], learning_rates: Sequence[float], seed: int) -> list[Run]:
    """The runs among which a study's settings are chosen."""
    pairs = itertools.product(batch_sizes, learning_rates)
    return [Run(study, batch_size, learning_rate, seed) for batch_size, learning_rate in pairs]


def best(found: Iterable[Choice]) -> Choice:
    """The run with the highest validation mAP; of equal ones the first, as published."""
    return max(found, key=lambda choice: choice.value)


def results_of(record: Mapping[str, Any], run: Run) -> Choice:
    """A finished run's best epoch, from its `run.json`."""
    results = record["results"]
    return Choice(run, int(results["best_epoch"]), float(results["best_val_map"]))


def _short(learning_rate: float) -> str:
    """1e-3 → 13.

    Raises:
        ValueError: the rate is not one digit times a power of ten.
    """
    match = re.fullmatch(r"(\d)e-0*(\d)", f"{learning_rate:.0e}")
    if not match or float(f"{learning_rate:.0e}") != learning_rate:
        raise ValueError(f"learning rate: expected a digit times a power of ten, 0.1 to 1e-9, found {learning_rate}")
    return "".join(match.groups())
