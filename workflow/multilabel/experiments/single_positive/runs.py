"""What is trained: studies, each the search over batch size and learning rate of one loss, and their runs."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

MODES = {"linear": "Linear", "linear_init": "LinearInit", "end_to_end": "Fine-tuned"}
"""Linear: a linear classifier on fixed features. Fine-tuned: the whole network, from a fresh classifier or, with
LinearInit, from the classifier and the label estimates of a linear run."""
LOSSES = {
    "bce": "BCE",
    "bce_ls": "BCE-LS",
    "iun": "IUN",
    "iu": "IU",
    "pr": "PR",
    "an": "AN",
    "an_ls": "AN-LS",
    "wan": "WAN",
    "epr": "EPR",
    "role": "ROLE",
}
"""All losses, in the order of the paper's tables, and what they are called there."""
SUPERVISION = {"bce": "everything", "bce_ls": "everything", "iun": "all_negatives", "iu": "one_negative"}
"""What a loss sees beside the observed positives; `positives` where it sees nothing else."""
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
        return f"{self.mode}_{self.loss}_{self._number}"

    @property
    def seen(self) -> str:
        """What of the labels it is given, such as `o1_positives`; studies that are given the same share a file."""
        return f"{self._number}_{self.supervision}"

    @property
    def supervision(self) -> str:
        """What the loss sees beside observed positives, see `SUPERVISION`."""
        return SUPERVISION.get(self.loss, "positives")

    @property
    def positives(self) -> float:
        """How many labels per image are observed at most, or which share; see `observation.draw`."""
        return float("inf") if self.observed == ALL else float(self.observed)

    @property
    def _number(self) -> str:
        return f"o{100 * float(self.observed):g}p".replace(".", "_") if "." in self.observed else f"o{self.observed}"


@dataclass(frozen=True)
class Run:
    """One training of a study: one of its search, or the chosen settings with a further seed."""

    study: Study
    batch_size: int
    learning_rate: float
    seed: int
    further: bool = False

    @property
    def name(self) -> str:
        """Such as `linear_role_o1_b16_lr13`, lr13 being 1e-3 as in all run names, or `linear_role_o1_s1`."""
        if self.further:
            return chosen_name(self.study, self.seed)
        return f"{self.study.name}_b{self.batch_size}_lr{short_rate(self.learning_rate)}"


class Choice(NamedTuple):
    """A run with its best epoch, from 0, and that epoch's validation mAP."""

    run: Run
    epoch: int
    val_map: float


def search(study: Study, batch_sizes: Sequence[int], learning_rates: Sequence[float], seed: int) -> list[Run]:
    """The runs among which a study's settings are chosen."""
    pairs = itertools.product(batch_sizes, learning_rates)
    return [Run(study, batch_size, learning_rate, seed) for batch_size, learning_rate in pairs]


def best(found: Iterable[Choice]) -> Choice:
    """The run with the highest validation mAP; of equal ones the first, as published."""
    return max(found, key=lambda choice: choice.val_map)


def result_of(record: Mapping[str, Any], run: Run) -> Choice:
    """A finished run's best epoch, from its `run.json`."""
    results = record["results"]
    return Choice(run, int(results["best_epoch"]), float(results["best_val_map"]))


def chosen_name(study: Study, seed: int) -> str:
    """What a study's chosen settings with a seed are called."""
    return f"{study.name}_s{seed}"


def short_rate(learning_rate: float) -> str:
    """A learning rate as run names have it: 1e-3 → 13.

    Raises:
        ValueError: it is not one digit times a power of ten.
    """
    match = re.fullmatch(r"(\d)e-0(\d)", f"{learning_rate:.0e}")
    if not match or float(f"{learning_rate:.0e}") != learning_rate:
        raise ValueError(f"expected a digit times a power of ten, from 0.1 to 1e-9, found {learning_rate}")
    return "".join(match.groups())
