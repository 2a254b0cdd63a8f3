"""When training ends, and which of its epochs is the best."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Criterion:
    """What decides which epoch is the best: a column of the log, and its direction.

    `measure` computes the column from the validation's truth, as the source stores it, and scores, both N×L; None: the
    loop has the column anyway.
    """

    column: str
    lowest: bool
    measure: Callable[[np.ndarray, np.ndarray], float] | None = None

    def better(self, value: float, reference: float, by: float = 0.0) -> bool:
        """Whether a value is better than another by more than some amount."""
        return value < reference - by if self.lowest else value > reference + by


LOWEST_LOSS = Criterion("val_loss", lowest=True)


@dataclass(frozen=True)
class Schedule:
    """When training ends: after `epochs`, or `patience` epochs without an improvement by `min_delta`; None: no limit.

    Of equal epochs the first is the best.
    """

    epochs: int
    patience: int | None
    min_delta: float
    criterion: Criterion = LOWEST_LOSS
