"""Both classifiers on a dataset's own splits: as runs that compare with those of other experiments."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

from multilabel import devices, provenance
from multilabel.datasets.labels import parts
from multilabel.evaluation import predictions
from multilabel.experiments.miml import limits, protocol
from multilabel.features import files as features_
from multilabel.files import complete_or_absent, write_json
from multilabel.training import linear


def train(
    run: str,
    *,
    features: Mapping[str, str | Path],
    labels: str | Path,
    sizes: Sequence[int],
    seed: int,
    c: float,
    solver: linear.Solver,
    largest_gb: float,
    record: Mapping[str, Any],
    folder: str | Path,
    timing: str | Path,
    report: Callable[[str], None] = print,
) -> None:
    """Train a classifier on the images of train, and on parts of them.

    The parts are nested: the first images of one random order. Under `folder` it writes

        predictions/{run}/{val,test}.h5     probabilities
        predictions/{run}_n{size}/test.h5   those after training on fewer images
        runs/{run}/weights.h5               see `load`
        runs/{run}/run.json                 where the run comes from

    Args:
        run: the penalty, `l1` or `l2`, which is the run's name, too.
        features: split (train, val, test) → its features.
        labels: of train. A pair of image and label that is ignored counts as one without the label, as in `protocol`.
        sizes: numbers of training images of the parts; one above what there is stands for all of them.
        seed: of the order.
        c: liblinear's cost.
        solver: see `linear.fit`.
        largest_gb: the most memory that the features of train may take.
        record: what `run.json` records of the run's origin.
        folder: of the experiment's results.
        timing: a CSV file (epoch,seconds,memory_mb) of one row, for what training on all images took.
        report: takes lines on the progress.

    Raises:
        ValueError: the features of train are too large, or the files do not fit together.
    """
    folder = Path(folder)
    with features_.opened(features["train"]) as file:
        limits.require_memory(file["features"].shape, largest_gb)
    penalty = next(known for known in protocol.CLASSIFIERS.values() if known == run)
    samples = protocol.load_split(features["train"], labels)

    started = time.monotonic()
    whole = linear.fit(samples.x, samples.truth, penalty=penalty, c=c, solver=solver, report=report)
    took = {"epoch": 0, "seconds": round(time.monotonic() - started, 3)}
    took["memory_mb"] = round(devices.peak_memory() / 1e6)  # before smaller parts are copied

    test = features_.load(features["test"])
    smaller: dict[int, linear.LinearModel] = {}
    for rows in parts(len(samples.x), sizes, seed):
        report(f"{len(rows)} of {len(samples.x)} images")
        x, truth = samples.x[rows], samples.truth[rows]
        smaller[len(rows)] = linear.fit(x, truth, penalty=penalty, c=c, solver=solver, report=report)
    for size in sizes:
        _save_scores(folder / f"predictions/{run}_n{size}/test.h5", smaller.get(size, whole), test)
    for split in ("val", "test"):
        _save_scores(folder / f"predictions/{run}/{split}.h5", whole, features_.load(features[split]))

    with complete_or_absent(folder / f"runs/{run}/weights.h5") as temporary, h5py.File(temporary, "w") as file:
        for name, values in asdict(whole).items():
            file[name] = values
    record = {
        "specification": {"run": run, "penalty": penalty},
        "settings": {"c": c, "solver": solver, "seed": seed, "sizes": list(sizes)},
        **record,
        "versions": provenance.versions(),
        "results": {
            "images": len(samples.x),
            "trained_parameters": whole.weights.size + whole.intercept.size,
            "used_features": int(whole.weights.any(axis=1).sum()),
            "largest_gap": float(whole.gap.max()),
        },
    }
    write_json(folder / f"runs/{run}/run.json", record)
    with complete_or_absent(timing) as temporary:
        pd.DataFrame([took]).to_csv(temporary, index=False)


def load(path: str | Path) -> linear.LinearModel:
    """The classifiers of a finished run, from `…/runs/{run}/weights.h5`: a dataset for each of their arrays."""
    with h5py.File(path, "r", locking=False) as file:
        return linear.LinearModel(**{name: values[()] for name, values in file.items()})


def _save_scores(path: Path, classifiers: linear.LinearModel, of: features_.Features) -> None:
    predictions.save(path, of.image_id, linear.probabilities(classifiers, of.features))
