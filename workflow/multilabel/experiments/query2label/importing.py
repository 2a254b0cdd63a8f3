"""A released checkpoint as a model file, which the command `multilabel` and the workflow use as any other."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from multilabel import export, provenance
from multilabel.experiments.query2label import model, tables
from multilabel.files import read_json

DESCRIPTION = "a checkpoint.pkl of Query2Label, with its config_new.json"
"""What can be imported, for the command's help."""


def import_model(
    checkpoint: str | Path, config: str | Path | None, path: str | Path, *, classes: Sequence[str] | None = None
) -> None:
    """Write a model file of a checkpoint; nothing in the checkpoint is run.

    Args:
        checkpoint: the file that PyTorch wrote.
        config: `config_new.json` beside it; None: what it would say is as the official code has it by default.
        path: the model file.
        classes: names of the labels in the order of the checkpoint; None: COCO's 80.

    Raises:
        FileNotFoundError, ValueError: see `model.load`.
    """
    names = list(classes) if classes is not None else tables.published()["classes"]
    network, architecture = model.load(checkpoint, config, classes=len(names))
    files = [checkpoint, *([config] if config else [])]
    with export.weights_of(network) as weights:
        export.save(
            path,
            weights,
            experiment="query2label",
            run=Path(path).stem,
            base={"input_size": architecture.image_size, "architecture": asdict(architecture)},
            preprocess=architecture.normalise,
            classes=names,
            thresholds=np.full(len(names), 0.5),
            statistics=None,
            provenance={
                "checkpoint": provenance.digests(files),
                "config": read_json(config) if config else None,
                "thresholds": {"from": "one half"},
            },
        )
