"""Fig. 3 of Dong et al. (2015), and the blocks that the chosen features come from."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from multilabel.report.figures import COLOURS, SPLIT_COLOURS, style


@style()
def small_training_sets(
    scores: Mapping[str, pd.DataFrame], best_published: Mapping[str, Mapping[str, float]]
) -> Figure:
    """Fig. 3 of Dong et al. (2015): metrics against the number of training images, mean and standard deviation.

    Args:
        scores: dataset → one row per split, classifier and number of images, with a column per metric; a row of panels
            each.
        best_published: dataset → metric → the value at which a red line is drawn.
    """
    metrics = [str(name) for name in next(iter(scores.values())) if name not in ("split", "classifier", "images")]
    figure = Figure(figsize=(1.45 * len(metrics), 0.35 + 1.35 * len(scores)))
    panels = figure.subplots(len(scores), len(metrics), squeeze=False)
    for row, (dataset, frame) in zip(panels, scores.items(), strict=True):
        for axes, metric in zip(row, metrics, strict=True):
            for colour, (classifier, part) in zip(COLOURS, frame.groupby("classifier", sort=False), strict=False):
                over_splits = part.groupby("images")[metric]
                mean, std = over_splits.mean(), over_splits.std(ddof=0)
                axes.errorbar(
                    mean.index,
                    mean,
                    yerr=std,
                    color=colour,
                    label=classifier,
                    capsize=1.2,
                    elinewidth=0.6,
                    capthick=0.6,
                )
            if metric in best_published.get(dataset, {}):
                axes.axhline(best_published[dataset][metric], color="#CC0000", linewidth=0.8, label="best published")
            axes.set_title(metric, fontsize=6.5)
            axes.set_xlim(left=0)
            axes.set_xlabel("Training images")
        row[0].set_ylabel(dataset)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(handles))
    return figure


@style()
def chosen_blocks(table: pd.DataFrame) -> Figure:
    """Where the features come from that the L1 penalty chose: per block, its share of them and of all there are.

    Args:
        table: one row per block, with `features`, `share of chosen` and `share of block`.
    """
    figure = Figure(figsize=(5.6, 2.0))
    left, right = figure.subplots(1, 2)
    positions = np.arange(len(table))
    left.bar(positions - 0.2, table["features"] / table["features"].sum(), 0.4, color=SPLIT_COLOURS[0], label="of all")
    left.bar(positions + 0.2, table["share of chosen"], 0.4, color=SPLIT_COLOURS[1], label="of the chosen")
    left.set_ylabel("Share of the features")
    left.legend(loc="upper left")
    right.bar(positions, 100 * table["share of block"], 0.5, color=SPLIT_COLOURS[1])
    right.set_ylabel("Chosen of the block (%)")
    for axes in (left, right):
        axes.set_xticks(positions, table.index, rotation=30, ha="right")
    return figure
