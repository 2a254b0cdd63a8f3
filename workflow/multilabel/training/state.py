"""Everything a run needs to go on as if it had never stopped, in memory and in a file beside its outputs."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import keras
import numpy as np

from multilabel.files import complete_or_absent
from multilabel.training.schedule import Schedule

AVERAGED = "ema_"
"""What the columns of the averaged weights begin with."""
WRITTEN_EVERY = 1.0
"""Seconds of training that a kill can cost, where epochs are shorter: writing each takes as long as training it."""


class _Content(NamedTuple):
    values: dict[str, list[np.ndarray]]
    progress: str


class State:
    """History, the best epoch so far, and the variables of a run by what they are: weights, optimizer, and so on.

    After an epoch all of it goes into a file whose name holds `key`; files of other keys are removed, never read. Where
    epochs are short some are left out: the best of them is in memory until the next is written.
    """

    PROGRESS = ("history", "best_value", "reference_value", "best_epoch", "best_is_average", "wait")

    def __init__(
        self,
        folder: Path,
        key: str,
        variables: Mapping[str, Sequence[keras.Variable]],
        schedule: Schedule,
        report: Callable[[str], None],
    ) -> None:
        self.folder, self.key = folder, key
        self.variables = variables
        self.schedule = schedule
        self.report = report
        self.history: list[dict[str, float]] = []
        self.best_value = self.reference_value = math.inf if schedule.criterion.lowest else -math.inf
        self.best_epoch = self.wait = 0
        self.best_is_average = False
        self._best: _Content | None = None
        self._written = -math.inf

    @property
    def finished(self) -> bool:
        """Whether the schedule says that no epoch follows."""
        patience = self.schedule.patience
        return len(self.history) >= self.schedule.epochs or (patience is not None and self.wait >= patience)

    def add(self, row: dict[str, float]) -> None:
        """Take in an epoch: keep its weights if it is the best, count the wait, save."""
        criterion = self.schedule.criterion
        self.history.append(row)
        value, averaged = row[criterion.column], row.get(AVERAGED + criterion.column)
        is_average = averaged is not None and criterion.better(averaged, value)
        if is_average and averaged is not None:
            value = averaged
        if criterion.better(value, self.best_value):
            self.best_value, self.best_epoch, self.best_is_average = value, int(row["epoch"]), is_average
        self.wait += 1
        if criterion.better(value, self.reference_value, self.schedule.min_delta):
            self.reference_value, self.wait = value, 0
        if self.finished or time.monotonic() - self._written >= WRITTEN_EVERY:
            self._save()
        elif self.best_epoch == len(self.history) - 1:
            self._best = self._content()

    def load_best(self) -> None:
        """Put all variables where they were after the best epoch."""
        self._assign(self._read(self._path(self.best_epoch))[0])

    def restore(self) -> None:
        """Go on from the last epoch, if its file and that of the best one are readable; remove those of other keys."""
        for path in self.folder.glob("*.partial.*"):  # what was being written when the run was killed
            path.unlink()
        found = []
        for path in self.folder.glob(".state-*"):
            if path.name.startswith(f".state-{self.key}-"):
                found.append(path)
            else:
                path.unlink()
        if not found:
            return
        path = max(found, key=lambda path: int(path.stem.rpartition("-")[2]))
        try:
            values, progress = self._read(path)
            path = self._path(progress["best_epoch"])
            self._read(path)
        except (OSError, KeyError, ValueError) as error:
            self.report(f"{path}: unreadable state ({error}); training starts from the first epoch")
            return
        self._assign(values)
        for name, value in progress.items():
            setattr(self, name, value)
        self.report(f"{self.folder.name}: goes on after epoch {len(self.history)}")

    def _save(self) -> None:
        """Write the last epoch and the best one, whose weights are the result so far; remove the files of others."""
        last, best = len(self.history) - 1, self._path(self.best_epoch)
        if self._best is not None and self.best_epoch != last:
            self._write(best, self._best)
        self._write(self._path(last), self._content())
        for path in self.folder.glob(".state-*"):
            if path not in (self._path(last), best):
                path.unlink()
        self._best, self._written = None, time.monotonic()

    def _content(self) -> _Content:
        """What a file holds of the epoch that just ended."""
        progress = json.dumps({name: getattr(self, name) for name in self.PROGRESS})
        values = {name: [variable.numpy() for variable in variables] for name, variables in self.variables.items()}
        return _Content(values, progress)

    @staticmethod
    def _write(path: Path, content: _Content) -> None:
        with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
            for name, values in content.values.items():
                group = file.create_group(name)
                for index, value in enumerate(values):
                    group[str(index)] = value
            file["progress"] = content.progress

    def _path(self, epoch: int) -> Path:
        return self.folder / f".state-{self.key}-{epoch}.h5"

    def _read(self, path: Path) -> tuple[dict[str, list[np.ndarray]], dict]:
        """Values of all variables, and the progress, of a file."""
        with h5py.File(path, "r") as file:
            values = {name: [file[name][str(i)][()] for i in range(len(file[name]))] for name in self.variables}
            progress = json.loads(file["progress"][()])
        return values, {name: progress[name] for name in self.PROGRESS}

    def _assign(self, values: Mapping[str, Sequence[np.ndarray]]) -> None:
        for name, variables in self.variables.items():
            for value, variable in zip(values[name], variables, strict=True):
                variable.assign(value)
