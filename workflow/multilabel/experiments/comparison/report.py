"""What the comparison leaves: tables, figures, numbers for DVC, and which run stands for each method."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.comparison import cost, figures, protocol, tables
from multilabel.experiments.comparison.protocol import METRICS, Labels
from multilabel.files import complete_or_absent, read_json, write_json
from multilabel.methods import LeftOut, Method
from multilabel.report.figures import save
from multilabel.report.tables import write_table


def quality(
    methods: Mapping[str, Method],
    left_out: Sequence[LeftOut],
    results: str | Path,
    folder: str | Path,
    label_files: Mapping[str, str],
    *,
    dataset: str,
    evaluation: Mapping[str, Any],
) -> None:
    """Judge all methods and write what says how good they are.

    Args:
        methods: what is compared, by name.
        left_out: what is not, and why.
        results: the folder of the dataset's results.
        folder: the experiment's: `quality.csv`, `metrics.json`, `chosen.json`, `tables` and `figures` go there.
        label_files: train, val, test → their labels.
        dataset: its name.
        evaluation: k, criterion, resamples, seed.
    """
    k, resamples, seed = (evaluation[key] for key in ("k", "resamples", "seed"))
    labels, train = Labels.load(label_files["val"], label_files["test"]), LabelMatrix.load(label_files["train"])
    found = protocol.judge_all(methods, results, labels, k=k, criterion=evaluation["criterion"])
    drawn = protocol.resampled(found, k=k, resamples=resamples, seed=seed)
    reference = protocol.reference(found)
    table = tables.quality(found, drawn)
    folder = Path(folder)
    with complete_or_absent(folder / "quality.csv") as temporary:
        table.to_csv(temporary, index=False)
    write_json(folder / "metrics.json", flat(table))
    write_json(folder / "chosen.json", {
        "compared_with": reference,
        "methods": {
            name: {"candidate": judged.candidate, "run": judged.run.name, "model": judged.model,
                   "validation_mean_average_precision": judged.on_validation}
            for name, judged in found.items()
        },
        "left_out": [offer._asdict() for offer in left_out],
    })  # fmt: skip

    images = len(next(iter(found.values())).test.truth)
    missing = "".join(f" Left out: {offer.title}: {offer.reason}." for offer in left_out)
    shown, bold = tables.quality_as_read(table)
    write_table(
        table,
        folder / "tables/quality",
        f"Every method on {dataset}: {images:,} labelled test images, thresholds for each class from validation "
        "images. 95 % intervals over the test images, of the first seed; mean ± deviation over seeds, with their "
        f"number.{missing}",
        shown=shown,
        bold=bold,
    )
    differing = tables.differences(found, drawn, reference)
    write_table(
        differing,
        folder / "tables/differences",
        f"Every method against {found[reference].method.title}, which has the highest mAP on the validation images "
        f"of {dataset}: differences on the same {images:,} test images, paired 95 % intervals for each by itself, "
        f"p-values adjusted by Holm for {len(found) - 1} comparisons at once; * below {tables.ALPHA}. They say what "
        "other test images would change, not another training.",
        shown=tables.differences_as_read(differing) if len(differing) else None,
    )
    titles = dict(zip(table["name"], table["method"], strict=True))
    by_class = tables.per_class(found, labels.test.classes, train.labels.sum(axis=0, dtype=np.int64))
    write_table(
        by_class,
        folder / "tables/classes",
        f"Average precision of each class with every method on {dataset}, the most frequent in training first.",
        shown=by_class[["class", "training images", "test images", *titles]].rename(columns=titles),
    )
    save(figures.classes(by_class, titles), folder / "figures/classes")
    smaller = {
        name: protocol.smaller(judged.method, results, labels.test)
        for name, judged in found.items()
        if judged.method.smaller
    }
    by_size = tables.by_size(found, smaller, len(train))
    write_table(
        by_size,
        folder / "tables/sizes",
        f"Mean average precision by the number of training images, for the methods of {dataset} that train in seconds.",
        shown=by_size[["method", "images", "mAP"]],
    )
    save(figures.sizes(by_size, {name: place for place, name in enumerate(titles)}), folder / "figures/sizes")


def costs(
    methods: Mapping[str, Method], results: str | Path, folder: str | Path, train: str, *, dataset: str, threads: int
) -> None:
    """Write what methods cost beside how good they are, from `quality.csv`, `chosen.json` and `timing/inference.csv`.

    Args:
        methods: what is compared, by name.
        results: the folder of the dataset's results.
        folder: the experiment's: `timing/tables` and `timing/figures` go there.
        train: label file of the training images.
        dataset: its name.
        threads: with which inference was measured.
    """
    folder = Path(folder)
    chosen = read_json(folder / "chosen.json")["methods"]
    table = cost.table(
        pd.read_csv(folder / "quality.csv"),
        methods,
        {name: entry["candidate"] for name, entry in chosen.items()},
        results,
        pd.read_csv(folder / "timing/inference.csv"),
        LabelMatrix.load(train),
    )
    counts = ("positive labels", "trained parameters")
    shown = table[cost.SHOWN].copy()
    for column in counts:
        shown[column] = [f"{int(value):,}" for value in table[column]]
    write_table(
        table,
        folder / "timing/tables/cost",
        f"What every method costs on {dataset}. Training: seconds of the run that is compared and of what it started "
        "from, without the base network, features and searches; memory is the most that its process had. Inference: "
        f"one decoded image in batches, {threads} thread(s). Measured on one machine.",
        shown=shown,
        digits={"training s": 1, "training MB": 0, "ms per image": 2, "file MB": 2},
    )
    save(figures.costs(table), folder / "timing/figures/cost")


def flat(table: pd.DataFrame) -> dict[str, float]:
    """Every metric of every method, `{name}_{metric}`, for `dvc metrics`."""
    return {
        f"{row['name']}_{metric}": float(row[heading])
        for row in table.to_dict("records")
        for heading, metric in METRICS.items()
    }
