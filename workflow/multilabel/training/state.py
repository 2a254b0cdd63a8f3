"""Everything a run needs to go on as if it had never stopped, in memory and in a file beside its outputs."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import h5py
import keras
import numpy as np

from multilabel.files import complete_or_absent
from multilabel.training.schedule import Schedule

AVERAGED = "ema_"
"""What the columns of the averaged weights begin with."""


class State:
    """History, the best epoch so far, and the variables of a run by what they are: weights, optimizer, and so on.

    After each epoch all of it goes into a file whose name holds `key`; files of other keys are removed, never read.
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
        self._save()

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
        """Write the epoch's file, then remove all but it and the best epoch's, whose weights are the result so far."""
        progress = {name: getattr(self, name) for name in self.PROGRESS}
        epoch = len(self.history) - 1
        with complete_or_absent(self._path(epoch)) as temporary, h5py.File(temporary, "w") as file:
            for name, variables in self.variables.items():
                group = file.create_group(name)
                for index, variable in enumerate(variables):
                    group[str(index)] = variable.numpy()
            file["progress"] = json.dumps(progress)
        for path in self.folder.glob(".state-*"):
            if path not in (self._path(epoch), self._path(self.best_epoch)):
                path.unlink()

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
