"""Training of the three designs: networks of one label each, and runs of the network of all labels."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from multilabel import provenance
from multilabel.experiments.designs import images, losses, names, networks, parts, sampling
from multilabel.experiments.designs.images import Split
from multilabel.files import complete_or_absent
from multilabel.training import loop
from multilabel.training.objectives import IGNORED, BinaryCrossEntropy, Objective
from multilabel.training.schedule import Schedule
from multilabel.training.sources import InMemory, Source

COLUMNS = ["network", "label", "epoch", "loss", "acc", "val_loss", "val_acc"]
TIMED = ["network", *loop.TIMES]


def train_networks(
    design: str,
    part: tuple[int, int] | None,
    *,
    splits: tuple[Split, Split],
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
    path: str | Path,
    timing: str | Path,
    first: str | Path | None = None,
) -> None:
    """Train some of the networks of Model 1 or 2, one label each, and leave them in one file.

    A network's state lies in a folder beside that file until all are trained: a job that is killed goes on.

    Args:
        design: `model1` or `model2`.
        part: this job's number and that of all jobs, which share the networks; None: the first network alone.
        splits: train and val.
        settings: sizes, epochs, batch_size, learning_rate, augmentation, seed.
        record: where the networks come from; goes into the file.
        path: the file, see `parts`; its log is `{stem}.csv`.
        timing: a CSV file (network,epoch,seconds,memory_mb).
        first: of Model 2, the file of its first network, whose convolutions the others have.

    Raises:
        RuntimeError: the convolutions that are shared have changed.
    """
    path, sizes = Path(path), networks.Sizes(**settings["sizes"])
    train, validation = splits
    start = 0 if first is None else 1
    numbers = [0] if part is None else list(range(start + part[0], len(train.labels.classes), part[1]))
    shared = parts.load([first], sizes)[0] if first is not None else None
    record = {**record, "design": design, "settings": settings, "versions": provenance.versions()}
    trained: dict[int, keras.Model] = {}
    trainings: dict[bool, loop.Training] = {}
    logs, times = [], []
    for number in numbers:
        seed = settings["seed"] + number
        model = networks.build(1, sizes, seed=seed)
        if shared is not None:
            networks.share_convolutions(model, shared)
        ignoring = bool((train.targets[:, number] == IGNORED).any())
        if ignoring not in trainings:
            # The networks take turns in one, which is compiled once.
            compiled = keras.models.clone_model(model)
            trainings[ignoring] = _training(compiled, BinaryCrossEntropy(ignoring=ignoring), settings)
        training = trainings[ignoring]
        training.model.set_weights(model.get_weights())
        state = loop.fit(
            training,
            train.source(seed=seed, label=number),
            validation.source(seed=seed, label=number),
            _schedule(settings),
            batch_size=settings["batch_size"],
            seed=seed,
            folder=_working(path, number),
            key=provenance.key({**record, "network": number}),
        )
        model.set_weights(training.model.get_weights())
        if shared is not None and networks.digest(model) != networks.digest(shared):
            raise RuntimeError(f"{design}: training changed the shared convolutions of network {number}")
        trained[number] = model
        log = pd.DataFrame(state.history).assign(network=number, label=train.labels.classes[number])
        logs.append(log[COLUMNS])
        times.append(log[TIMED])
    parts.save(path, trained, classes=train.labels.classes, record=record, heads_only=shared is not None)
    for frames, columns, target in ((logs, COLUMNS, path.with_suffix(".csv")), (times, TIMED, Path(timing))):
        with complete_or_absent(target) as temporary:
            pd.concat(frames or [pd.DataFrame(columns=columns)]).to_csv(temporary, index=False)
    for number in numbers:
        _remove(_working(path, number))


def train_runs(
    wanted: Iterable[str],
    *,
    splits: tuple[Split, Split],
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
    folder: str | Path,
    timing: str | Path,
) -> None:
    """Train runs of Model 3 one after the other, each as `training.loop.run` leaves it in its folder.

    Args:
        wanted: names of runs, see `names`.
        splits: train and val.
        settings: sizes, epochs, batch_size, learning_rate, augmentation, seed; gamma, where a run has focal loss.
        record: what each `run.json` records of the runs' origin.
        folder: where each run gets its folder.
        timing: where each run gets a file `{run}.csv` of the seconds of its epochs.

    Raises:
        ValueError: a run needs its samples in memory, and they are too many.
    """
    train, validation = splits
    seed, wanted = settings["seed"], list(wanted)
    for name in wanted:
        loss = names.loss_of(name)
        source: Source = train.source(seed=seed)
        if loss == "balanced_sampling":
            if not isinstance(source, InMemory):
                raise ValueError(f"{name}: balanced sampling needs the images in memory; raise designs.memory_gb")
            source = sampling.Balanced(source)
        loop.run(
            Path(folder) / name,
            {"specification": {"run": name, "loss": loss}, "settings": settings, **record},
            _training(
                networks.build(len(train.labels.classes), networks.Sizes(**settings["sizes"]), seed=seed),
                losses.objective(loss, train.targets, gamma=settings.get("gamma", 0)),
                settings,
            ),
            source,
            validation.source(seed=seed),
            _schedule(settings),
            batch_size=settings["batch_size"],
            seed=seed,
            timing=Path(timing) / f"{name}.csv",
        )
    for name in wanted:
        loop.forget(Path(folder) / name)


def _schedule(settings: Mapping[str, Any]) -> Schedule:
    """All epochs: the tutorial does not stop early. The best of them is kept."""
    return Schedule(settings["epochs"], None, 0.0)


def _training(model: keras.Model, objective: Objective, settings: Mapping[str, Any]) -> loop.Training:
    """A network with the tutorial's optimiser, on images that are augmented as the settings say."""
    return loop.Training(
        model,
        objective,
        keras.optimizers.Adam(settings["learning_rate"]),
        prepare=images.preparation(settings["augmentation"]),
        prepare_validation=images.preparation(),
    )


def _working(path: Path, number: int) -> Path:
    """Where a network is while its job is not done."""
    return path.parent / f".{path.stem}" / str(number)


def _remove(folder: Path) -> None:
    loop.forget(folder)
    (folder / "log.csv").unlink(missing_ok=True)
    for left in (folder, folder.parent):
        if left.is_dir() and not any(left.iterdir()):
            left.rmdir()
