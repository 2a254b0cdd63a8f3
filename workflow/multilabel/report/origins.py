"""Which run came from what: one row per run, from the records that runs leave and the features they were trained on."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

from multilabel import provenance
from multilabel.files import read_json

FOLDERS = ("random_base", "coverage", "seeds", "top_models", "finetuned")
"""Of runs, within those of the results of a dataset; a seed's has its number."""
SHORT = 12
"""Digits of a digest that the table shows; run.json has them all."""


def table(records: Iterable[str | Path], timings: Iterable[str | Path]) -> pd.DataFrame:
    """One row per run, in the order given.

    Args:
        records: the `run.json` of each run. What it names as inputs is read for features only, to find the weights of
            the base network behind them.
        timings: the files of the runs' measured seconds, in the same order.

    Returns:
        Columns run, stage (the folder it lies in), configuration (hash of all settings in `run.json`), labels, features
        and weights (the first digits of the sha256 of the files that went in; several are joined by a space), code,
        seed, threads, a column per version, machine, epochs, and seconds of training as measured.

    Raises:
        ValueError: a record or a feature file is damaged; the message names it.
    """
    behind: dict[str, dict[str, str]] = {}
    return pd.DataFrame([_row(Path(path), timing, behind) for path, timing in zip(records, timings, strict=True)])


def _row(path: Path, timing: str | Path, behind: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The row of a run. `behind` keeps what feature files, which runs share, were computed from."""
    record = read_json(path)
    inputs: dict[str, str] = record["inputs"]
    for name in _of(inputs, "features"):
        if name not in behind:
            behind[name] = _inputs_of_features(name)
        inputs = inputs | behind[name]
    labels, features = _of(inputs, "labels"), _of(inputs, "features")
    weights = [name for name in inputs if name.endswith(".h5") and name not in labels + features]
    return {
        "run": path.parent.name,
        "stage": "/".join(part for part in path.parts[-5:-2] if part in FOLDERS or part.isdigit()),
        "configuration": provenance.key(record["configuration"])[:SHORT],
        **{
            column: " ".join(inputs[name][:SHORT] for name in sorted(names))
            for column, names in (("labels", labels), ("features", features), ("weights", weights))
        },
        "code": record["code"][:SHORT],
        "seed": record["settings"]["seed"],
        "threads": record["threads"],
        **record["versions"],
        "machine": ", ".join(record["machine"].values()),
        "epochs": record["results"]["epochs"],
        "seconds": float(pd.read_csv(timing)["seconds"].sum()),
    }


def _of(inputs: Iterable[str], folder: str) -> list[str]:
    """The files of a folder of the results."""
    return [name for name in inputs if Path(name).parent.name == folder]


def _inputs_of_features(path: str) -> dict[str, str]:
    """What a feature file was computed from, with digests: labels, and weights of the base network if it had any."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return json.loads(file.attrs["provenance"])["inputs"]
    except (OSError, KeyError) as error:
        raise ValueError(
            f"{path}: expected HDF5 features with their provenance; {error}. Remove it to make it again"
        ) from error
