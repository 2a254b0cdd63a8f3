"""Training of studies: the search of each, further seeds of its best settings, and what these runs predict."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

from multilabel import provenance
from multilabel.experiments.single_positive import losses
from multilabel.experiments.single_positive.observation import Observed, for_loss
from multilabel.experiments.single_positive.runs import Choice, Run, Study, best, results_of, search
from multilabel.files import complete_or_absent, read_json, write_json
from multilabel.labels import LabelMatrix
from multilabel.predictions import save as save_predictions
from multilabel.training import loop
from multilabel.training.adam import Adam
from multilabel.training.criteria import HIGHEST_MAP
from multilabel.training.schedule import Schedule
from multilabel.training.sources import Chunk, Source
from multilabel.training.steps import Prepare


@dataclass(frozen=True)
class Samples:
    """What the studies of a job share: the images of each split, and the network that takes them.

    `sources` has train, validation and test, whatever their y; `image_id` has the ids of all samples of each.
    """

    sources: Mapping[str, Source]
    image_id: Mapping[str, NDArray[np.int64]]
    classes: tuple[str, ...]
    build: Callable[[Run], keras.Model]
    prepare: Prepare | None = None
    prepare_validation: Prepare | None = None


@dataclass(frozen=True)
class Settings:
    """What all runs of a job share: see the section `single_positive` of the configuration."""

    epochs: int
    batch_sizes: Sequence[int]
    learning_rates: Sequence[float]
    seed: int
    seeds: int
    expected: float


@dataclass(frozen=True)
class Folders:
    """Where a job writes: a folder per run, and a file per study or run and split, see `train`."""

    runs: Path
    results: Path
    timing: Path


def train(
    study: Study,
    samples: Samples,
    settings: Settings,
    *,
    observed: str | Path,
    validation: LabelMatrix,
    start: NDArray[np.float32] | None = None,
    record: Mapping[str, Any],
    folders: Folders,
) -> None:
    """Search a study's settings, train them with further seeds, and write what the chosen runs predict.

    Leaves in `folders.runs/{run}` what `loop.run` does, and of ROLE the label estimates of the best epoch. In
    `folders.results`: `{study}.json`, the choice and all that was searched; `{study}_s{seed}/{validation,test}.h5`, the
    scores of the chosen settings with each seed.

    Args:
        study: what is trained.
        samples: see there.
        settings: see there.
        observed: the file of what is observed of the training images.
        validation: labels that choose the best epoch and run, of the images in `samples`.
        start: of LinearInit with ROLE, the estimated labels N×L of the linear run.
        record: what each `run.json` records of the runs' origin.
        folders: where results go.

    Raises:
        ValueError: the observed labels do not fit the training images; the message names the file.
    """
    found = Observed.load(observed)
    given = found.of(samples.image_id["train"], samples.classes, name=str(observed), other="the training images")
    seen = for_loss(study.loss, given)
    searched = [
        _run(run, samples, settings, seen, validation, start, record, folders)
        for run in search(study, settings.batch_sizes, settings.learning_rates, settings.seed)
    ]
    choice = best(searched)
    further = [replace(choice.run, seed=settings.seed + number) for number in range(1, settings.seeds)]
    for run in further:
        _run(run, samples, settings, seen, validation, start, record, folders)
    for run in (choice.run, *further):
        _predict(run, samples, folders)
    write_json(folders.results / f"{study.name}.json", {"choice": _row(choice), "search": list(map(_row, searched))})


def forget(study: Study, settings: Settings, folder: Path) -> None:
    """Remove the states of all runs of a study, once nothing can ask for them again."""
    for path in folder.glob(f"{study.name}_b*"):
        loop.forget(path)


@dataclass(frozen=True)
class Labelled:
    """A source whose samples have other labels: `y` has those of all its samples."""

    source: Source
    y: NDArray[Any]

    def chunks(self, epoch: int | None, batch_size: int) -> Iterator[Chunk]:
        """The source's chunks; see `Source`."""
        for chunk in self.source.chunks(epoch, batch_size):
            rows = np.arange(len(chunk.y)) if chunk.rows is None else chunk.rows
            yield chunk._replace(y=self.y[rows])


def linear_model(inputs: int, classes: int, *, seed: int) -> keras.Model:
    """Features N×inputs → logits N×classes, initialised as PyTorch does: uniform in ±1/√inputs, weights and biases."""
    x = keras.Input((inputs,), name="features")
    return keras.Model(x, classifier(inputs, classes, seed=seed)(x), name="linear")


def classifier(inputs: int, classes: int, *, seed: int) -> keras.layers.Layer:
    """The linear layer of all models; see `linear_model`."""
    weights, biases = (
        keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5, seed=seed * 1000 + number) for number in (0, 1)
    )
    return keras.layers.Dense(classes, name="logits", kernel_initializer=weights, bias_initializer=biases)


def _run(
    run: Run,
    samples: Samples,
    settings: Settings,
    seen: NDArray[np.int8],
    validation: LabelMatrix,
    start: NDArray[np.float32] | None,
    record: Mapping[str, Any],
    folders: Folders,
) -> Choice:
    """Train one run of a study; see `train`."""
    folder = folders.runs / run.name
    estimates = None
    if run.study.loss == "role":
        estimates = losses.initial_estimates(seen, seed=run.seed) if start is None else losses.estimates_from(start)
    objective = losses.objective(run.study.loss, settings.expected, estimates)
    rows = validation.rows_of(samples.image_id["validation"], name="the validation labels", other="validation images")
    loop.run(
        folder,
        {"specification": asdict(run), "settings": asdict(settings), **record},
        samples.build(run),
        objective,
        Adam(run.learning_rate),
        Labelled(replace(samples.sources["train"], seed=run.seed), seen),
        Labelled(samples.sources["validation"], validation.labels[rows]),
        Schedule(settings.epochs, None, 0.0, HIGHEST_MAP),
        batch_size=run.batch_size,
        seed=run.seed,
        validation_objective=losses.objective("bce", settings.expected),
        drop_last=True,
        prepare=samples.prepare,
        prepare_validation=samples.prepare_validation,
        timing=folders.timing / f"{run.name}.csv",
    )
    if isinstance(objective, losses.OnlineEstimation):
        with complete_or_absent(folder / "estimates.h5") as temporary, h5py.File(temporary, "w") as file:
            file["image_id"] = samples.image_id["train"]
            file["estimates"] = objective.estimates
    return results_of(read_json(folder / "run.json"), run)


def _predict(run: Run, samples: Samples, folders: Folders) -> None:
    """Write the scores of the chosen settings with one seed, on the images of validation and test."""
    model = samples.build(run)
    model.load_weights(folders.runs / run.name / "best.weights.h5")
    for split in ("validation", "test"):
        source = Labelled(samples.sources[split], samples.image_id[split])
        found = loop.scores(model, source, prepare=samples.prepare_validation)
        save_predictions(folders.results / f"{run.study.name}_s{run.seed}" / f"{split}.h5", *found)


def _row(choice: Choice) -> dict[str, Any]:
    """A run as the file of its study has it."""
    run = choice.run
    return {
        "run": run.name,
        "batch_size": run.batch_size,
        "learning_rate": run.learning_rate,
        "epoch": choice.epoch,
        "val_map": choice.value,
    }
