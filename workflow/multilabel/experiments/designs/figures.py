"""What the designs cost and give, and how scores are spread with each of the forum's outputs."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.designs import names
from multilabel.experiments.designs.tables import TITLES
from multilabel.report.figures import COLOURS, PAGE, style

MOST = 4
"""Images of so many labels or more are shown together."""


@style()
def quality_and_cost(
    mean_ap: Mapping[str, tuple[float, float, float]],
    costs: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
    frequencies: float,
) -> Figure:
    """MAP with its 95 % interval against training time, inference time and size on disk, each on a logarithmic scale.

    Args:
        mean_ap: design → mAP, and its interval.
        costs: design → what `measuring.cost` found.
        seconds: design → seconds of training.
        frequencies: mAP of the label frequencies, which a line shows.
    """
    figure = Figure(figsize=(PAGE, 2.1))
    panels = figure.subplots(1, 3, sharey=True)
    for axes, label in zip(panels, ("Training (s)", "Inference of an image (ms)", "Size on disk (MB)"), strict=True):
        for colour, (design, (value, low, high)) in zip(COLOURS, mean_ap.items(), strict=False):
            cost = costs[design]
            places = {
                "Training (s)": [(seconds[design], "o")],
                "Inference of an image (ms)": [
                    (cost["predict_1"], "o"),
                    *([(cost["one_call_1"], "s")] if cost["networks"] > 1 else []),
                ],
                "Size on disk (MB)": [(cost["bytes"] / 1e6, "o")],
            }[label]
            for place, marker in places:
                error = [[value - low], [high - value]]
                name = TITLES[design] + (", in one call" if marker == "s" else "")
                filled = "white" if marker == "s" else colour
                look = {"marker": marker, "markersize": 4, "color": colour, "markerfacecolor": filled}
                axes.errorbar(place, value, error, label=name, elinewidth=0.6, linestyle="none", **look)
        axes.axhline(frequencies, color="0.5", linewidth=0.8, linestyle=":", label="label frequencies")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))  # powers would be mathematics
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(label)
        axes.margins(x=0.2)
    panels[0].set_ylabel("mAP")
    panels[0].set_ylim(bottom=0)
    handles, labels = panels[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(handles))
    return figure


@style()
def scores_by_labels(found: Mapping[str, Predictions]) -> Figure:
    """How scores are spread in images of one, two, … labels: those of true labels to the right, of others to the left.

    Where labels compete, as with softmax, the scores of true labels fall as their number grows.

    Args:
        found: output → what Model 3 predicts with it.
    """
    figure = Figure(figsize=(PAGE, 2.2))
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    edges = np.linspace(0, 1, 26)
    for axes, (output, test) in zip(panels, found.items(), strict=True):
        truth = np.ma.filled(test.truth, 0).astype(bool)
        counted = ~np.ma.getmaskarray(np.ma.asarray(test.truth))
        number = np.minimum(truth.sum(axis=1), MOST)
        for labels in range(1, MOST + 1):
            rows = number == labels
            for kind, side, colour in ((truth, 1, COLOURS[0]), (~truth & counted, -1, COLOURS[1])):
                values = test.scores[rows][kind[rows]]
                heights, _ = np.histogram(values, edges)
                share = 0.45 * heights / max(heights.max(initial=0), 1)
                axes.barh((edges[:-1] + edges[1:]) / 2, side * share, height=0.04, left=labels, color=colour)
                if side > 0 and len(values):
                    axes.plot([labels, labels + 0.45], [np.median(values)] * 2, color="black", linewidth=0.9)
        axes.set_title(names.LOSSES[output].title.replace(", ", ",\n", 1))
        axes.set_xticks(range(1, MOST + 1), [*map(str, range(1, MOST)), f"{MOST}+"])
        axes.set_xlabel("Labels of the image")
    panels[0].set_ylabel("Score")
    for colour, label in ((COLOURS[0], "true labels"), (COLOURS[1], "others"), ("black", "median of the true")):
        panels[0].plot([], [], color=colour, label=label, linewidth=0.9 if label.startswith("median") else 4)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@style()
def ablation(table: pd.DataFrame, titles: Mapping[str, str], order: Sequence[str]) -> Figure:
    """Differences in mAP from the plain loss with 95 % intervals: rare and frequent classes apart.

    Args:
        table: see `tables.ablation`.
        titles: loss → what it is called.
        order: the losses that are shown, from top to bottom.
    """
    figure = Figure(figsize=(PAGE / 2, 0.7 + 0.3 * len(order)))
    axes = figure.add_subplot()
    shown = table[(table["metric"] == "mAP") & table["loss"].isin(list(order))]
    for colour, offset, group in zip(COLOURS, (-0.15, 0.15), ("rare", "frequent"), strict=False):
        part = shown[shown["classes"] == group].set_index("loss").reindex(list(order))
        below, above = part["difference"] - part["difference low"], part["difference high"] - part["difference"]
        error = np.stack([below.to_numpy(), above.to_numpy()])
        places = np.arange(len(order)) + offset
        axes.errorbar(part["difference"], places, xerr=error, color=colour, marker="o", markersize=3, linestyle="none",
                      elinewidth=0.8, label=f"{group} classes")  # fmt: skip
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set_yticks(range(len(order)), [titles[loss] for loss in order])
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_xlabel("mAP − mAP of the plain loss")
    axes.grid(visible=False, axis="y")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
