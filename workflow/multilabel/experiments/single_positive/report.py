"""The experiment's tables and figures, from the files of its results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive import figures, tables
from multilabel.experiments.single_positive.observation import Observed
from multilabel.experiments.single_positive.runs import LOSSES, MODES
from multilabel.report import verdicts
from multilabel.report.figures import save
from multilabel.report.tables import write_table

EXAMPLES = 8
"""Images of Fig. 2."""


def write_tables(
    files: Any, outputs: Any, *, dataset: str, observed: str, departures: Sequence[str], drop_last: bool
) -> None:
    """Write Table II, all losses in all modes, more observed labels, and the recovery of hidden ones.

    Args:
        files: attributes metrics and recovery, the paths of what the other steps found.
        outputs: attributes table2, losses, observed and recovery: the paths of each table's forms.
        dataset: its name.
        observed: the number of observed labels per image that the tables show.
        departures: in words, where the configuration is not the paper's.
        drop_last: whether the last test images were left out, as published.
    """
    means = tables.over_seeds(pd.read_csv(files.metrics, dtype={"observed": str}))
    rows = tables.table2(means, observed, departures)
    other = f" Not the paper's: {'; '.join(departures)}." if departures else ""
    write_table(
        pd.DataFrame(rows),
        _stem(outputs.table2),
        f"Table II of paper 001 against {dataset}: mAP in percent, in both of the paper's columns. "
        f"{verdicts.counted(rows)}{other}",
        shown=pd.DataFrame(verdicts.as_text(rows)),
    )
    shown = tables.losses_by_mode(means, observed)
    scored = "without those of the last batch, as published" if drop_last else "all of them"
    write_table(
        means[means["observed"] == observed],
        _stem(outputs.losses),
        f"Test mAP on {dataset} in percent with {_labels(observed)} observed per image; ±: 95 % interval of the mean "
        f"over seeds. BCE and BCE-LS see all labels, IUN all negatives, IU one negative per image. "
        f"Test images: {scored}.",
        shown=shown,
        bold=tables.best_of_each(shown),
    )
    write_table(
        tables.by_observed(means),
        _stem(outputs.observed),
        f"Test mAP of linear classifiers on {dataset} in percent, by the number of observed labels per image.",
    )
    recovery = pd.read_csv(files.recovery)
    recovery["loss"] = recovery["loss"].map(LOSSES)
    write_table(
        recovery,
        _stem(outputs.recovery),
        f"How well the training images' hidden labels are recovered on {dataset}: mAP and micro AP of the ranking "
        "among hidden labels, precision and recall at 0.5, and how many per image are expected and there.",
    )


def write_figures(files: Any, outputs: Any, *, observed: str, examples: Sequence[int], size: int) -> None:
    """Write Figs. 1 and 2, the search, and more observed labels.

    Args:
        files: attributes by_epoch, labels, seen, images, searched and metrics.
        outputs: attributes fig1, fig2, search and observed_figure: the paths of each figure's forms.
        observed: the number of observed labels per image that the figures show.
        examples: image ids of Fig. 2; with none the first of those with most labels.
        size: to which images are resized.
    """
    by_epoch = pd.read_csv(files.by_epoch)
    shares = {loss: by_epoch[by_epoch["loss"] == loss] for loss in by_epoch["loss"].unique()}
    save(figures.scores_of_hidden_positives(shares), _stem(outputs.fig1))

    labels, seen = LabelMatrix.load(files.labels), Observed.load(files.seen[0])
    chosen = examples_of(labels, examples)
    names = [_names(labels, seen, row) for row in chosen]
    paths = [Path(files.images, labels.file_name[row]) for row in chosen]
    save(figures.examples(paths, names, size), _stem(outputs.fig2))

    searched = pd.read_csv(files.searched, dtype={"observed": str})
    searched = searched[searched["observed"] == observed]
    titles = searched["loss"].map(LOSSES) + ", " + searched["mode"].map(MODES)
    save(figures.search({title: searched[titles == title] for title in titles.unique()}), _stem(outputs.search))

    metrics = pd.read_csv(files.metrics, dtype={"observed": str})
    linear = metrics[metrics["mode"] == "linear"]
    several = linear.groupby("loss")["observed"].nunique()
    everywhere = several[several == linear["observed"].nunique()].index
    save(figures.observed_labels(linear[linear["loss"].isin(everywhere)]), _stem(outputs.observed_figure))


def examples_of(labels: LabelMatrix, examples: Sequence[int]) -> list[int]:
    """Rows of the images of Fig. 2.

    Raises:
        ValueError: one of them is not among the training images; the message names the key.
    """
    if not examples:
        return np.argsort(-labels.labels.sum(axis=1, dtype=int), kind="stable")[:EXAMPLES].tolist()
    missing = sorted(set(examples) - set(labels.image_id.tolist()))
    if missing:
        raise ValueError(f"single_positive.examples: no training images: {', '.join(map(str, missing))}")
    return labels.rows_of(np.array(examples), name="labels", other="single_positive.examples").tolist()


def _names(labels: LabelMatrix, seen: Observed, row: int) -> list[tuple[str, bool]]:
    """An image's labels, observed ones first, and whether each was observed."""
    observed = seen.labels[np.flatnonzero(seen.image_id == labels.image_id[row])[0]] > 0
    there = [(name, bool(observed[column])) for column, name in enumerate(labels.classes) if labels.labels[row, column]]
    return sorted(there, key=lambda label: not label[1])


def _labels(observed: str) -> str:
    return {"1": "one positive label", "all": "all labels"}.get(observed, f"{observed} positive labels")


def _stem(paths: Sequence[str]) -> Path:
    """A table's or figure's path without ending."""
    return Path(paths[0]).with_suffix("")
