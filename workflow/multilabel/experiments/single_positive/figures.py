"""The figures of the experiment: Figs. 1 and 2 of paper 001, the search, and what more labels bring."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from multilabel.experiments.single_positive.hidden import BINS
from multilabel.experiments.single_positive.runs import ALL, LOSSES
from multilabel.report.figures import COLOURS, COLUMN, PAGE, style

LABELS_SHOWN = 9
"""Beneath an image of Fig. 2."""


@style()
def scores_of_hidden_positives(shares: Mapping[str, pd.DataFrame]) -> Figure:
    """Fig. 1: how the scores of unobserved positives are distributed after each epoch, a panel per loss.

    Args:
        shares: loss → what `hidden.by_epoch` gives.
    """
    figure = Figure(figsize=(PAGE, 1.9))
    panels = figure.subplots(1, len(shares), squeeze=False, sharey=True).ravel()
    image = None
    for axes, (loss, frame) in zip(panels, shares.items(), strict=True):
        matrix = frame.pivot(index="from", columns="epoch", values="share").to_numpy()
        image = axes.imshow(
            np.sqrt(matrix),
            origin="lower",
            aspect="auto",
            extent=(0.5, matrix.shape[1] + 0.5, 0, 1),
            cmap="Blues",
            vmin=0,
            vmax=1,
            interpolation="nearest",
        )
        axes.grid(visible=False)
        axes.set_title(LOSSES[loss])
        axes.set_xlabel("Epoch")
    panels[0].set_ylabel("Score of a hidden positive")
    if image is not None:
        bar = figure.colorbar(image, ax=list(panels), fraction=0.02, pad=0.01)
        bar.set_ticks([np.sqrt(share) for share in (0, 0.05, 0.25, 0.5, 1)], labels=["0", "5", "25", "50", "100 %"])
        bar.outline.set_linewidth(0.5)
        bar.set_label(f"Share, in bins of {1 / BINS}")
    return figure


@style()
def examples(paths: Sequence[Path], labels: Sequence[Sequence[tuple[str, bool]]], size: int) -> Figure:
    """Fig. 2: training images as they are resized, with their observed labels in colour and their hidden ones in grey.

    Args:
        paths: the images.
        labels: for each the names of its labels, observed ones first, and whether each was observed.
        size: height and width in pixels.
    """
    columns = min(len(paths), 4)
    rows = -(-len(paths) // columns)
    figure = Figure(figsize=(PAGE, rows * (PAGE / columns + 0.3)))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, path, names in zip(panels, paths, labels, strict=False):
        with Image.open(path) as image:
            axes.imshow(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
        _write_labels(axes, names)
    return figure


@style()
def search(found: Mapping[str, pd.DataFrame]) -> Figure:
    """The search's heat map: validation mAP by batch size and learning rate, a panel per study.

    Args:
        found: title → rows with batch_size, learning_rate and val_map, from 0 to 1.
    """
    columns = min(5, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(PAGE, 0.25 + 0.85 * rows))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    for axes, (title, frame) in zip(panels, found.items(), strict=False):
        table = 100 * frame.pivot(index="batch_size", columns="learning_rate", values="val_map")
        table = table[sorted(table.columns, reverse=True)]
        axes.imshow(table, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        best = np.unravel_index(np.argmax(table.to_numpy()), table.shape)
        for (row, column), value in np.ndenumerate(table.to_numpy()):
            axes.text(
                column,
                row,
                f"{value:.1f}",
                ha="center",
                va="center",
                fontsize=5,
                weight="bold" if (row, column) == best else "normal",
                color="white" if value > 60 else "black",
            )
        axes.grid(visible=False)
        axes.set_xticks(range(table.shape[1]), [f"{rate:.0e}".replace("e-0", "e-") for rate in table.columns])
        axes.set_yticks(range(table.shape[0]), [str(size) for size in table.index])
        axes.tick_params(length=0)
        axes.set_title(title)
    figure.supxlabel("Learning rate", fontsize=7)
    figure.supylabel("Batch size", fontsize=7)
    return figure


@style()
def observed_labels(found: pd.DataFrame) -> Figure:
    """Test mAP against the number of observed labels per image, a line per loss; bands over seeds.

    Args:
        found: rows with loss, observed (text, in order) and mAP in percent, one per seed.
    """
    figure = Figure(figsize=(COLUMN, 2.2))
    axes = figure.add_subplot()
    order = list(dict.fromkeys(found["observed"]))
    for colour, (loss, part) in zip(COLOURS * 2, found.groupby("loss", sort=False), strict=False):
        over_seeds = part.groupby("observed", sort=False)["mAP"]
        mean, low, high = (getattr(over_seeds, name)().reindex(order) for name in ("mean", "min", "max"))
        axes.plot(range(len(order)), mean, color=colour, marker="o", markersize=2.5, label=LOSSES[str(loss)])
        axes.fill_between(range(len(order)), low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xticks(range(len(order)), ["all" if number == ALL else number for number in order])
    axes.set_xlabel("Observed labels per image")
    axes.set_ylabel("Test mAP (%)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return figure


def _write_labels(axes: Axes, names: Sequence[tuple[str, bool]]) -> None:
    """Labels in lines beneath an image, as many as fit."""
    shown = list(names[:LABELS_SHOWN])
    if len(names) > len(shown):
        shown.append((f"and {len(names) - len(shown)} more", False))
    for number, (name, observed) in enumerate(shown):
        axes.text(
            (number % 3) / 3,
            -0.03 - 0.075 * (number // 3),
            name,
            transform=axes.transAxes,
            va="top",
            fontsize=5.5,
            color=COLOURS[1] if observed else "0.45",
            weight="bold" if observed else "normal",
        )
