"""The paper's figures: label statistics, loss curves and example images, all in one style and byte-stable."""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from multilabel.files import complete_or_absent

COLUMN, PAGE = 3.5, 7.16  # inches: the widths of one and of two columns in an IEEE journal
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures are the same on every machine
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 6,
    "legend.title_fontsize": 7,
    "legend.fancybox": False,
    "legend.framealpha": 1,
    "legend.edgecolor": "white",
    "legend.borderpad": 0.1,
    "legend.borderaxespad": 0.2,
    "legend.columnspacing": 1.4,
    "legend.handlelength": 2.4,
    "legend.labelspacing": 0.3,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.88",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 0.9,
    "lines.solid_joinstyle": "round",
    "pdf.fonttype": 42,
    "svg.hashsalt": "multilabel",
    "savefig.dpi": 300,
    "figure.constrained_layout.use": True,
}
# Four of Okabe and Ito's colours, which colour-blind readers tell apart, and a purple. Their light ones are left out,
# because each colour has a light shade here.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#000000", "#AA4499"]
SHADES = [0.5, 0.0]  # share of white
DASHES = ["solid", (0, (4, 1.2)), (0, (1.2, 1.0)), (0, (5, 1.2, 1.2, 1.2))]
SPLIT_COLOURS = ["#A9C9E0", "#0072B2", "#D55E00"]

TITLE_LENGTH = 44  # characters; a longer shared name takes two lines
_REGULARISER = r"d\d+|bn"
# The one style, whatever a user's matplotlibrc says; as a decorator or in `with`.
_style = partial(matplotlib.style.context, ["default", STYLE])


@dataclass(frozen=True, order=True)
class RunStyle:
    """How a run is drawn: numbers in COLOURS, SHADES and DASHES."""

    colour: int
    shade: int
    dash: int

    @property
    def line(self) -> dict[str, Any]:
        """Colour and line style as matplotlib takes them."""
        white = SHADES[self.shade]
        rgb = tuple(part + (1 - part) * white for part in to_rgb(COLOURS[self.colour]))
        return {"color": rgb, "linestyle": DASHES[self.dash]}


def save(figure: Figure, path_stem: str | Path) -> None:
    """Write `path_stem`.pdf and `path_stem`.png (300 dpi): the same figure, the same bytes."""
    stem = Path(path_stem)
    metadata: dict[str, dict[str, Any]] = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    for suffix, entries in metadata.items():
        with complete_or_absent(stem.with_name(stem.name + suffix)) as temporary, _style():
            figure.savefig(temporary, format=suffix[1:], metadata=entries)


@_style()
def fig2(per_class_counts: pd.DataFrame) -> Figure:
    """Fig. 2: the number of images with each label, the most frequent label first, on a logarithmic scale.

    Args:
        per_class_counts: index class name, one column per split, three at most.
    """
    counts = per_class_counts.sort_values(list(per_class_counts.columns), ascending=False, kind="stable")
    wide = len(counts) > 24
    width, height = (PAGE, 2.5) if wide else (COLUMN, 2.2)
    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    _bars(axes, counts, "Images with the label")
    size = min(6.0, 60 * width / len(counts))  # points: the names' lines touch at about 66
    axes.set_xticks(range(len(counts)), [str(name) for name in counts.index], rotation=90, fontsize=size)
    axes.tick_params(axis="x", length=0, pad=1)
    return figure


@_style()
def fig3(histogram: pd.DataFrame) -> Figure:
    """Fig. 3: the number of images with 0, 1, 2, … different labels, on a logarithmic scale.

    Args:
        histogram: index number of labels, one column per split, three at most.
    """
    histogram = histogram.reindex(range(int(histogram.index.max()) + 1), fill_value=0)
    figure = Figure(figsize=(COLUMN, 2.2))
    axes = figure.add_subplot()
    _bars(axes, histogram, "Images")
    axes.set_xticks(range(len(histogram)), [str(number) for number in histogram.index])
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("Different labels in the image")
    return figure


@_style()
def loss_curves(
    logs: Mapping[str, pd.DataFrame],
    *,
    x: Literal["epoch", "time"] = "epoch",
    title: str | None = None,
    styles: Mapping[str, RunStyle] | None = None,
    emphasise: Collection[str] = (),
    beside: Mapping[str, pd.DataFrame] | None = None,
    beside_name: str = "",
    repeats: Mapping[str, Sequence[pd.DataFrame]] | None = None,
) -> Figure:
    """Figs. 4 to 6 and the fine-tuning: validation loss of several runs; a dot marks where each run stopped.

    The first steep epochs may leave the frame, so that the differences between the runs can be seen.

    Args:
        logs: run name → log with the columns epoch (from 0), val_loss and, for `x="time"`, seconds; 9 runs or fewer.
        x: the horizontal axis: epochs, or epochs times the run's mean seconds per epoch (Fig. 6b).
        title: by default what the runs' names share, with … in place of what differs.
        styles: line styles per run, from `run_styles` of all runs of the figure's panels, so that they agree.
        emphasise: runs that are drawn thicker.
        beside: others' logs of runs of the same names, drawn as thin lines that end in a ring; runs that are not among
            `logs` are left out, and for `x="time"` those without seconds.
        beside_name: what the legend calls them.
        repeats: logs of runs of the same names from further seeds. A band, mean ± standard deviation over all seeds,
            goes as far as the shortest of them.

    Raises:
        ValueError: no run, or a log without the column that `x` needs.
    """
    if not logs:
        raise ValueError("loss curves: expected at least one run, found none")
    needed = {"epoch", "val_loss"} | ({"seconds"} if x == "time" else set())
    lacking = {run: sorted(needed - set(log.columns)) for run, log in logs.items() if needed - set(log.columns)}
    if lacking:
        raise ValueError("; ".join(f"log of {run}: expected a column {', '.join(c)}" for run, c in lacking.items()))
    styles = run_styles(list(logs)) if styles is None else styles
    others = {run: log for run, log in (beside or {}).items() if run in logs}
    if x == "time":
        others = {run: log for run, log in others.items() if log["seconds"].notna().all()}
    drawn = [*logs.values(), *others.values()]
    bands = {run: _band([log, *repeats[run]]) for run, log in logs.items() if repeats and run in repeats}

    colours = len({styles[run].colour for run in logs})
    columns = colours if colours in (2, 3) else 2
    figure = Figure(figsize=(COLUMN, 2.25 + 0.12 * -(-(len(logs) + bool(others)) // columns)))  # the axes stay
    axes = figure.add_subplot()
    label, unit = "Epoch", 1.0
    if x == "time":
        label, unit = _time_unit(max(float(_positions(log, x)[-1]) for log in drawn))
    texts = dict(zip(logs, curve_labels(list(logs)), strict=True))
    for run in sorted(logs, key=lambda run: styles[run]):
        order = 3 if run in emphasise else 2
        if run in bands:
            positions = _positions(logs[run], x)[: len(bands[run][0])] / unit
            fill: dict[str, Any] = {"color": styles[run].line["color"], "alpha": 0.2, "linewidth": 0}
            axes.fill_between(positions, *bands[run], **fill, zorder=order - 0.7)
        if run in others:
            thin: dict[str, Any] = {"color": styles[run].line["color"], "linewidth": 0.45, "zorder": order - 0.5}
            _curve(axes, others[run], x, unit, {"markerfacecolor": "white", "markeredgewidth": 0.45}, **thin)
        width = 1.8 if run in emphasise else 0.9
        _curve(axes, logs[run], x, unit, {}, label=texts[run], **styles[run].line, linewidth=width, zorder=order)
    if others:
        ring: dict[str, Any] = {"marker": "o", "markersize": 2.8, "markerfacecolor": "white", "markeredgewidth": 0.45}
        axes.plot([], [], color="0.4", linewidth=0.45, label=beside_name, **ring)
    axes.set_xlim(left=0)
    edges = [edge for band in bands.values() for edge in band]
    axes.set_ylim(*_loss_limits([*(log["val_loss"].to_numpy(dtype=float) for log in drawn), *edges]))
    axes.set_xlabel(label)
    axes.set_ylabel("Validation loss")
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=x == "epoch"))
    title = _shared_name(list(logs)) if title is None else title
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.02), ncols=columns, title=title, alignment="left")
    return figure


def save_panels(
    panels: Mapping[str, Mapping[str, Sequence[str]]],
    logs: Mapping[str, pd.DataFrame],
    folder: str | Path,
    **options: Any,
) -> None:
    """Draw the panels of Figs. 4 to 6 into a folder; panels of one figure share their runs' styles.

    Args:
        panels: figure → panel, which is the file's name → its runs. The panel `fig6b` is drawn by time.
        logs: the log of each of these runs.
        folder: where to.
        options: further arguments of `loss_curves`.
    """
    for of_figure in panels.values():
        styles = run_styles([run for run_names in of_figure.values() for run in run_names])
        for name, run_names in of_figure.items():
            x: Literal["epoch", "time"] = "time" if name == "fig6b" else "epoch"
            drawn = loss_curves({run: logs[run] for run in run_names}, x=x, styles=styles, **options)
            save(drawn, Path(folder) / name)


@_style()
def fig7(
    images: Sequence[NDArray[np.uint8]], predictions: Sequence[pd.DataFrame], titles: Sequence[str] = ()
) -> Figure:
    """Fig. 7: example images in a row, each above its ranked predictions; true labels are bold.

    Args:
        images: H×W×3 each, of any size.
        predictions: for each image the columns rank, label, score and true, as in Table 3.
        titles: written above the images; by default a, b, c, …
    """
    titles = list(titles) or [chr(ord("a") + i) for i in range(len(images))]
    n, lines = len(images), max(len(table) for table in predictions)
    cell = PAGE / max(n, 5)
    tallest = min(1.0, max(image.shape[0] / image.shape[1] for image in images))  # upright images become narrower
    heights = [cell * tallest, 0.125 * lines + 0.06]
    figure = Figure(figsize=(cell * n, sum(heights) + 0.2))
    grid = figure.add_gridspec(2, n, height_ratios=heights)
    for j, (image, table, title) in enumerate(zip(images, predictions, titles, strict=True)):
        picture, text = figure.add_subplot(grid[0, j]), figure.add_subplot(grid[1, j])
        picture.imshow(image)
        picture.set_anchor("SW")
        picture.set_title(title, fontweight="bold", pad=2)
        picture.set_axis_off()
        text.set_axis_off()
        text.set_ylim(lines, 0)
        for line, row in enumerate(table.itertuples(index=False)):
            weight = "bold" if row.true else "normal"
            colour = "black" if row.true else "0.35"
            for position, side, content in (
                (0.10, "right", str(row.rank)),
                (0.14, "left", str(row.label)),
                (1.0, "right", f"{row.score:.2f}"),
            ):
                text.text(position, line + 0.5, content, ha=side, va="center", weight=weight, color=colour, fontsize=6)
    return figure


@_style()
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


@_style()
def learning_curve(curve: pd.DataFrame) -> Figure:
    """Metrics against the number of training images, a line for each way that they are labelled.

    Args:
        curve: one row per `labels` and `images`, with `mAP`, `µF1 top-k per image` and `validation loss`.
    """
    metrics, sizes = ["mAP", "µF1 top-k per image", "validation loss"], sorted(curve["images"].unique())
    figure = Figure(figsize=(PAGE, 2.2))
    panels = figure.subplots(1, len(metrics))
    for axes, metric in zip(panels, metrics, strict=True):
        for colour, (labels, part) in zip(COLOURS, curve.groupby("labels"), strict=False):
            axes.plot(part["images"], part[metric], color=colour, marker="o", markersize=2.5, label=labels)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=90 if len(sizes) > 4 else 0)
        axes.minorticks_off()
        axes.set_xlabel("Training images")
        axes.set_title(metric)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(handles))
    return figure


@_style()
def cooccurrence(panels: Mapping[str, NDArray[np.float64]], classes: Sequence[str]) -> Figure:
    """Conditional frequencies P(j | i) of label pairs as heat maps side by side, on one scale; the diagonal is grey.

    Args:
        panels: title → L×L, row i, column j.
        classes: L names.
    """
    n = len(classes)
    width = PAGE / len(panels)
    figure = Figure(figsize=(PAGE, width + 0.35))
    axes_of = figure.subplots(1, len(panels), squeeze=False)[0]
    size = min(6.0, 60 * width / max(n, 1))
    off_diagonal = ~np.eye(n, dtype=bool)
    highest = max((float(values[off_diagonal].max(initial=0)) for values in panels.values()), default=0) or 1.0
    image = None
    for axes, (title, values) in zip(axes_of, panels.items(), strict=True):
        axes.set_facecolor("0.85")
        masked = np.ma.masked_array(values, mask=~off_diagonal)
        image = axes.imshow(masked, cmap="Blues", vmin=0, vmax=highest)
        axes.set_title(title)
        axes.grid(visible=False)
        axes.set_xticks(range(n), classes, rotation=90, fontsize=size)
        axes.set_yticks(range(n), classes if axes is axes_of[0] else [""] * n, fontsize=size)
        axes.tick_params(length=0, pad=1)
    axes_of[0].set_ylabel("of the images with …")
    if image is not None:
        bar = figure.colorbar(image, ax=list(axes_of), shrink=0.6, aspect=25, pad=0.01)
        bar.set_label("share that also have …")
        bar.outline.set_visible(False)
    return figure


@_style()
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


def curve_labels(names: Sequence[str]) -> list[str]:
    """What tells each run apart from the others: the fields of its name that are not the same in all.

    >>> curve_labels(["coco_2017_zmuvs_avg_1x1024d5_lr11_b128", "coco_2017_zmuvs_avg_2x4096d5_lr11_b128"])
    ['1x1024', '2x4096']
    >>> curve_labels(["zmuvs_avg_2x4096d5_lr11_b64", "zmuvs_avg_2x4096d5_lr52_b32"])
    ['lr11 b64', 'lr52 b32']
    """
    if len(set(names)) == 1:
        return list(names)
    fields = _fields(names)
    differing = [j for j in range(len(fields[0])) if len({row[j] for row in fields}) > 1]
    return [" ".join(filter(None, (row[j] for j in differing))) for row in fields]


def run_styles(names: Iterable[str]) -> dict[str, RunStyle]:
    """Run name → style, made from the names' fields: give it all runs of a figure's panels at once.

    Of the fields that differ, the one with the most values is shown by colour, one with two values by a light and a
    dark shade and one more by dashes. Where that is not enough, the runs get the combinations one after the other.
    """
    unique = list(dict.fromkeys(names))
    rows = [[part for field in row for part in _parts(field)] for row in _fields(unique)]
    values = [sorted(set(column), key=_natural) for column in zip(*rows, strict=True)]
    # Fields that tell the same runs apart need one sign only.
    partitions = {
        tuple(map(column.index, column)): j for j, column in reversed(list(enumerate(zip(*rows, strict=True))))
    }
    differing = sorted((j for j in partitions.values() if len(values[j]) > 1), key=lambda j: (-len(values[j]), j))
    by_colour, others = differing[:1], differing[1:]
    by_shade = [j for j in others if len(values[j]) == len(SHADES)][:1]
    by_dash = [j for j in others if j not in by_shade]
    scales: list[tuple[list[int], Sequence[Any]]] = [(by_colour, COLOURS), (by_dash, DASHES)]
    if len(by_dash) > 1 or any(len(values[j]) > len(scale) for fields, scale in scales for j in fields):
        numbers = itertools.product(range(len(DASHES)), reversed(range(len(SHADES))), range(len(COLOURS)))
        combinations = [RunStyle(colour, shade, dash) for dash, shade, colour in numbers]
        return dict(zip(unique, itertools.cycle(combinations), strict=False))

    def number(row: list[str], fields: list[int], default: int = 0) -> int:
        return values[fields[0]].index(row[fields[0]]) if fields else default

    dark = len(SHADES) - 1
    return {
        name: RunStyle(number(row, by_colour), number(row, by_shade, dark), number(row, by_dash))
        for name, row in zip(unique, rows, strict=True)
    }


def _bars(axes: Axes, counts: pd.DataFrame, label: str) -> None:
    """Bars of all splits on one place each, narrower from split to split, so that equal ratios are equal distances."""
    if len(counts.columns) > len(SPLIT_COLOURS):
        raise ValueError(f"bars: expected at most {len(SPLIT_COLOURS)} splits, found {', '.join(map(str, counts))}")
    positions = np.arange(len(counts))
    for j, (split, colour) in enumerate(zip(counts.columns, SPLIT_COLOURS, strict=False)):
        axes.bar(positions, counts[split], width=0.8 - 0.25 * j, color=colour, label=str(split))
    axes.set_yscale("log")
    axes.set_ylim(0.7, 2.2 * max(1, int(counts.to_numpy().max())))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(-0.7, len(counts) - 0.3)
    axes.set_ylabel(label)
    axes.legend(loc="upper right", ncols=len(counts.columns), handlelength=1)


def _positions(log: pd.DataFrame, x: str) -> NDArray[np.float64]:
    """Where a log's losses are on the horizontal axis: epochs from 1, or seconds."""
    epochs = log["epoch"].to_numpy(dtype=float) + 1
    return epochs * log["seconds"].mean() if x == "time" else epochs


def _curve(axes: Axes, log: pd.DataFrame, x: str, unit: float, end: Mapping[str, Any], **line: Any) -> None:
    """A run's losses, and a dot where it stopped."""
    positions, loss = _positions(log, x) / unit, log["val_loss"].to_numpy(dtype=float)
    axes.plot(positions, loss, **line)
    axes.plot(positions[-1], loss[-1], "o", color=line["color"], markersize=2.8, zorder=line["zorder"], **end)


def _band(logs: Sequence[pd.DataFrame]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean − and + standard deviation of the losses of several seeds, in the epochs that all of them have."""
    losses = [log["val_loss"].to_numpy(dtype=float) for log in logs]
    common = np.array([loss[: min(map(len, losses))] for loss in losses])
    mean, deviation = common.mean(axis=0), common.std(axis=0, ddof=1)
    return mean - deviation, mean + deviation


def _loss_limits(losses: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Limits that show nine tenths of every curve; what is above is the steep start."""
    finite = [loss[np.isfinite(loss)] for loss in losses]
    finite = [loss for loss in finite if len(loss)] or [np.array([0.0, 1.0])]
    low, high = min(loss.min() for loss in finite), max(np.quantile(loss, 0.9) for loss in finite)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _time_unit(seconds: float) -> tuple[str, float]:
    """The axis label and the seconds in one unit, so that the axis has short numbers."""
    if seconds < 180:
        return "Time (s)", 1.0
    return ("Time (min)", 60.0) if seconds < 180 * 60 else ("Time (h)", 3600.0)


def _fields(names: Sequence[str]) -> list[list[str]]:
    """The names' fields, the layers and the regulariser apart; short names end in empty fields."""
    rows = [[part for field in name.split("_") for part in _split(field)] for name in names]
    length = max(len(row) for row in rows)
    return [row + [""] * (length - len(row)) for row in rows]


def _split(field: str) -> list[str]:
    match = re.fullmatch(rf"(\d+x\d+)({_REGULARISER})", field)
    return list(match.groups()) if match else [field]


def _parts(field: str) -> list[str]:
    """Layers and nodes of `2x4096` are two hyper-parameters."""
    return field.split("x") if re.fullmatch(r"\d+x\d+", field) else [field]


def _shared_name(names: Sequence[str]) -> str:
    """The run name with … in place of the fields that differ."""
    rows = _fields(names)
    fields = [column[0] if len(set(column)) == 1 else "…" for column in zip(*rows, strict=True)]
    name = "".join(field if re.fullmatch(_REGULARISER, field) else f"_{field}" for field in fields)
    name = re.sub(r"…(_…)+", "…", name.removeprefix("_"))
    return name if len(name) <= TITLE_LENGTH else re.sub(rf"(.{{1,{TITLE_LENGTH}}}_)", r"\1\n", name, count=1)


def _natural(text: str) -> list[tuple[int, str]]:
    """A sort key by which b64 comes before b128."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", text)]
