"""The figures of the comparison: quality against cost, each class as a heat map, and quality by training images."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, NullFormatter

from multilabel.experiments.comparison.tables import COSTS, pareto
from multilabel.report.figures import COLOURS, COLUMN, PAGE, style

SHORT = FuncFormatter(lambda value, _: EngFormatter(sep="")(value) if value >= 1000 else f"{value:g}")
MARKERS = "osD^v<>PXp*hd"
WIDEST = 40
"""Classes of the heat map that are named; of more, some."""


def colour_and_marker(number: int) -> tuple[str, str]:
    """How a method looks in all figures, by its place in the table of quality."""
    return COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]


@style()
def costs(table: pd.DataFrame) -> Figure:
    """Mean average precision with its interval against each cost; a line joins what no other method beats.

    Args:
        table: the table of costs, see `cost.table`.
    """
    figure = Figure(figsize=(PAGE, 4.6))
    panels = figure.subplots(2, 3, sharey=True).ravel()
    for axes, (column, label) in zip(panels, COSTS.items(), strict=True):
        values = table[column].to_numpy(float)
        front = pareto(values, table["mAP"].to_numpy())
        order = np.flatnonzero(front)[np.argsort(values[front], kind="stable")]
        axes.step(values[order], table["mAP"].to_numpy()[order], where="post", color="0.75", zorder=1)
        for number, row in enumerate(table.to_dict("records")):
            colour, marker = colour_and_marker(number)
            error = [[row["mAP"] - row["mAP low"]], [row["mAP high"] - row["mAP"]]]
            axes.errorbar(
                row[column], row["mAP"], yerr=error, color=colour, marker=marker, markersize=4, linestyle="none",
                elinewidth=0.5, markerfacecolor=colour if front[number] else "white", markeredgewidth=0.8,
            )  # fmt: skip
        positive = values[np.isfinite(values) & (values > 0)]
        if len(positive) and positive.max() > 20 * positive.min():
            if (values == 0).any():
                axes.set_xscale("symlog", linthresh=10.0 ** np.floor(np.log10(positive.min())))
            else:
                axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(SHORT)
        axes.set_xlabel(label)
    for axes in panels[::3]:
        axes.set_ylabel("mAP")
    looks = [colour_and_marker(number) for number in range(len(table))]
    handles = [Line2D([], [], color=c, marker=m, markersize=4, linestyle="none") for c, m in looks]
    figure.legend(handles, table["method"].tolist(), loc="outside lower center", ncols=3)
    return figure


@style()
def classes(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Average precision as a heat map: classes from the most frequent down, methods from the best on.

    Args:
        table: see `tables.per_class`.
        titles: name → what a method is called; in the order in which they are shown.
    """
    names = list(titles)
    values = table[names].to_numpy()
    height = 1.6 + 0.13 * max(8, min(len(table), 2 * WIDEST))
    figure = Figure(figsize=(min(PAGE, 2.2 + 0.36 * len(names)), height))
    axes = figure.add_subplot()
    image = axes.imshow(values, aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
    step = -(-len(table) // (2 * WIDEST))
    axes.set_yticks(range(0, len(table), step), [
        f"{row['class']} ({row['training images']:,})" for row in table.iloc[::step].to_dict("records")
    ])  # fmt: skip
    axes.set_xticks(range(len(names)), titles.values(), rotation=45, ha="right", rotation_mode="anchor")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if len(table) <= WIDEST:
        for row, column in np.ndindex(values.shape):
            dark = matplotlib.colormaps["viridis"](values[row, column])[1] < 0.6
            axes.text(column, row, f"{100 * values[row, column]:.0f}", ha="center", va="center", fontsize=5,
                      color="white" if dark else "black")  # fmt: skip
    bar = figure.colorbar(image, ax=axes, shrink=0.6)
    bar.set_label("average precision")
    bar.outline.set_visible(False)
    return figure


@style()
def sizes(table: pd.DataFrame, order: Mapping[str, int]) -> Figure:
    """Mean average precision against the number of training images.

    Args:
        table: see `tables.by_size`.
        order: name → place in the table of quality.
    """
    figure = Figure(figsize=(COLUMN, 2.8))
    axes = figure.add_subplot()
    for name, rows in table.groupby("name", sort=False):
        colour, marker = colour_and_marker(order[str(name)])
        axes.plot(rows["images"], rows["mAP"], color=colour, marker=marker, markersize=3, label=rows["method"].iloc[0])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(SHORT)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("training images")
    axes.set_ylabel("mAP")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=1)
    return figure
