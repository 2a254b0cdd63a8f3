"""Training of studies: the search of each, further seeds of its best settings, and what these runs predict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

from multilabel.evaluation import predictions
from multilabel.experiments.single_positive import losses
from multilabel.experiments.single_positive.runs import Choice, Run, Study, best, chosen_name, result_of, search
from multilabel.files import complete_or_absent, read_json, write_json
from multilabel.training import loop
from multilabel.training.adam import Adam
from multilabel.training.criteria import HIGHEST_MAP
from multilabel.training.schedule import Schedule
from multilabel.training.sources import Labelled, Source
from multilabel.training.steps import Prepare

SPLITS = ("val", "test")
"""What the chosen runs predict."""


@dataclass(frozen=True)
class Samples:
    """Images that studies share: of each split a source, whose y does not matter, and the ids of all of its samples.

    `validation` has the labels N×L of `val` by which epochs and runs are chosen. `build` makes the network,
    samples → logits, from a seed; `prepare` and `prepare_validation` are the loop's.
    """

    sources: Mapping[str, Source]
    image_id: Mapping[str, NDArray[np.int64]]
    validation: NDArray[np.uint8]
    build: Callable[[int], keras.Model]
    prepare: Prepare | None = None
    prepare_validation: Prepare | None = None
    prediction_batch_size: int = 256


@dataclass(frozen=True)
class Settings:
    """What the runs of a study share; see the section `single_positive` of the configuration."""

    epochs: int
    batch_sizes: Sequence[int]
    learning_rates: Sequence[float]
    seeds: int
    seed: int
    expected: float


@dataclass(frozen=True)
class Training:
    """Trains studies on shared samples and leaves what they come to in a folder.

    `folder/runs/{run}` is what `loop.run` leaves, with the label estimates of ROLE's best epoch; `folder/searches` has
    a JSON file per study; `folder/predictions/{study}_s{seed}` the scores of the chosen settings with each seed, and
    `folder/chosen/{study}_s{seed}` the record of that run, whose own name only the search says; `folder/estimates` the
    label estimates of the chosen run of ROLE; and `folder/epochs`, for the studies in `watched`, the classifier after
    each epoch of the chosen run. `folder/timing` has what each run took, and what the chosen one took by that name.
    """

    samples: Samples
    settings: Settings
    folder: Path
    record: Mapping[str, Any]
    watched: Sequence[Study] = ()

    def study(self, study: Study, seen: NDArray[np.int8], start: NDArray[np.float32] | None = None) -> None:
        """Search a study's settings, train the best with further seeds, and write what these predict.

        Args:
            study: what is trained.
            seen: what the loss is given of the training images, int8 N×L.
            start: of LinearInit with ROLE, the estimated labels N×L of the linear run.
        """
        settings = self.settings
        runs = search(study, settings.batch_sizes, settings.learning_rates, settings.seed)
        found = [self._run(run, seen, start) for run in runs]
        choice = best(found)
        names = {settings.seed: choice.run.name}
        for number in range(1, settings.seeds):
            further = replace(choice.run, seed=settings.seed + number, further=True)
            names[further.seed] = self._run(further, seen, start).run.name
        for seed, name in names.items():
            self._predict(study, seed, name)
            self._name(name, chosen_name(study, seed))
        if study.loss == "role":
            _copy(
                self.folder / "runs" / choice.run.name / "estimates.h5", self.folder / "estimates" / f"{study.name}.h5"
            )
        if study in self.watched:
            self._gather_epochs(study, choice.run)
        rows = [_row(result) for result in found]
        write_json(self.folder / "searches" / f"{study.name}.json", {"chosen": _row(choice), "searched": rows})

    def forget(self, studies: Sequence[Study]) -> None:
        """Remove the states of all runs of studies, once nothing can ask for them again."""
        for study in studies:
            for folder in self.folder.glob(f"runs/{study.name}_*"):
                loop.forget(folder)
                for path in folder.glob(".epoch-*"):
                    path.unlink()

    def _run(self, run: Run, seen: NDArray[np.int8], start: NDArray[np.float32] | None) -> Choice:
        """Train one run."""
        folder, settings, samples = self.folder / "runs" / run.name, self.settings, self.samples
        model = samples.build(run.seed)
        estimates = None
        if run.study.loss == "role":
            estimates = losses.initial_estimates(seen, seed=run.seed) if start is None else losses.estimates_from(start)
        objective = losses.objective(run.study.loss, settings.expected, estimates)
        loop.run(
            folder,
            {"specification": asdict(run), "settings": asdict(settings), **self.record},
            loop.Training(
                model,
                objective,
                Adam(run.learning_rate),
                validation_objective=losses.objective("bce", settings.expected),
                drop_last=True,
                prepare=samples.prepare,
                prepare_validation=samples.prepare_validation,
                validation_batch_size=samples.prediction_batch_size,
            ),
            Labelled(_with_seed(samples.sources["train"], run.seed), seen),
            Labelled(samples.sources["val"], samples.validation),
            Schedule(settings.epochs, None, 0.0, HIGHEST_MAP),
            batch_size=run.batch_size,
            seed=run.seed,
            timing=self.folder / "timing" / f"{run.name}.csv",
            after_epoch=self._keeper(folder, model) if run.study in self.watched and not run.further else None,
        )
        if isinstance(objective, losses.OnlineEstimation):
            with complete_or_absent(folder / "estimates.h5") as temporary, h5py.File(temporary, "w") as file:
                file["image_id"] = samples.image_id["train"]
                file["estimates"] = objective.estimates
        return result_of(read_json(folder / "run.json"), run)

    def _predict(self, study: Study, seed: int, name: str) -> None:
        """Write the scores of a run as those of its study with a seed."""
        model = self.samples.build(seed)
        model.load_weights(self.folder / "runs" / name / "best.weights.h5")
        score = loop.scorer(
            model, batch_size=self.samples.prediction_batch_size, prepare=self.samples.prepare_validation
        )
        for split in SPLITS:
            image_id, scores = score(Labelled(self.samples.sources[split], self.samples.image_id[split]))
            predictions.save(predictions.path_of(self.folder, chosen_name(study, seed), split), image_id, scores)

    def _name(self, run: str, chosen: str) -> None:
        """Leave record and timing of a run under the name by which its scores are known before the search."""
        _copy(self.folder / "runs" / run / "run.json", self.folder / "chosen" / chosen / "run.json")
        if run != chosen:
            _copy(self.folder / "timing" / f"{run}.csv", self.folder / "timing" / f"{chosen}.csv")

    def _gather_epochs(self, study: Study, chosen: Run) -> None:
        """The classifier after each epoch in one file: `weights` E×D×L and `bias` E×L."""
        kept = [
            np.load(self.folder / "runs" / chosen.name / f".epoch-{epoch}.npz") for epoch in range(self.settings.epochs)
        ]
        path = self.folder / "epochs" / f"{study.name}.h5"
        with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
            for name in ("weights", "bias"):
                file[name] = np.stack([epoch[name] for epoch in kept])

    @staticmethod
    def _keeper(folder: Path, model: keras.Model) -> Callable[[int], None]:
        """What writes a linear classifier after each epoch."""

        def keep(epoch: int) -> None:
            weights, bias = model.get_weights()
            with complete_or_absent(folder / f".epoch-{epoch}.npz") as temporary, temporary.open("wb") as file:
                np.savez(file, weights=weights, bias=bias)

        return keep


def _copy(source: Path, target: Path) -> None:
    with complete_or_absent(target) as temporary:
        temporary.write_bytes(source.read_bytes())


def _with_seed(source: Any, seed: int) -> Source:
    """A source whose epochs have the orders of another seed."""
    return replace(source, seed=seed)


def _row(choice: Choice) -> dict[str, Any]:
    """A run as the file of its search has it."""
    run = choice.run
    settings = {"batch_size": run.batch_size, "learning_rate": run.learning_rate}
    return {"run": run.name, **settings, "epoch": choice.epoch, "val_map": choice.val_map}
