"""Figs. 4 to 6 of Maddox (2017): validation losses of several runs; the fine-tuning; and the learning curve."""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from multilabel.report.figures import COLOURS, COLUMN, PAGE, save, style

SHADES = [0.5, 0.0]  # share of white
DASHES = ["solid", (0, (4, 1.2)), (0, (1.2, 1.0)), (0, (5, 1.2, 1.2, 1.2))]
TITLE_LENGTH = 44  # characters; a longer shared name takes two lines
_REGULARISER = r"d\d+|bn"


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


@style()
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


@style()
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
