"""The paper's figures: label statistics, loss curves and example images, all in one style and byte-stable."""

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from multilabel.files import complete_or_absent

COLUMN, PAGE = 3.5, 7.16  # inches: the widths of one and of two columns in an IEEE journal
FALLBACKS = {
    *(f"Noto Sans CJK {region}" for region in ("HK", "JP", "KR", "SC", "TC")),
    *("Source Han Sans", "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "IPAGothic", "NanumGothic"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "PingFang SC", "Hiragino Sans", "Arial Unicode MS"),
    *("Droid Sans Fallback", "Noto Sans Devanagari", "Noto Sans Thai", "Unifont"),
}
"""Font families with scripts that DejaVu Sans does not have."""

STYLE: dict[str, Any] = {
    # It comes with matplotlib, so that figures are the same on every machine. What it lacks is taken from the next
    # family that is installed.
    "font.family": ["DejaVu Sans", *sorted(FALLBACKS & set(get_font_names()))],
    "text.parse_math": False,  # names of classes may hold dollar signs
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
SPLIT_COLOURS = ["#A9C9E0", "#0072B2", "#D55E00"]

# The one style, whatever a user's matplotlibrc says; as a decorator or in `with`.
style = partial(matplotlib.style.context, ["default", STYLE])


def save(figure: Figure, path_stem: str | Path) -> None:
    """Write `path_stem`.pdf and `path_stem`.png (300 dpi): the same figure, the same bytes.

    Characters that no installed font has are boxes; a line on standard output says which.
    """
    stem = Path(path_stem)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        _write(figure, stem)
    missing = []
    for warning in found:
        if glyph := re.match(r"Glyph (\d+) ", str(warning.message)):
            missing.append(chr(int(glyph[1])))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if missing:
        characters = " ".join(dict.fromkeys(missing))
        print(f"{stem}: no installed font has {characters}: boxes are drawn. Install one, such as Noto Sans CJK")


def _write(figure: Figure, stem: Path) -> None:
    metadata: dict[str, dict[str, Any]] = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    for suffix, entries in metadata.items():
        with complete_or_absent(stem.with_name(stem.name + suffix)) as temporary, style():
            figure.savefig(temporary, format=suffix[1:], metadata=entries)


@style()
def images_per_class(per_class_counts: pd.DataFrame) -> Figure:
    """The number of images with each label, the most frequent label first, on a logarithmic scale.

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


@style()
def labels_per_image(histogram: pd.DataFrame) -> Figure:
    """The number of images with 0, 1, 2, … different labels, on a logarithmic scale.

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


@style()
def examples(
    images: Sequence[NDArray[np.uint8]], predictions: Sequence[pd.DataFrame], titles: Sequence[str] = ()
) -> Figure:
    """Example images in a row, each above its ranked predictions; true labels are bold.

    Args:
        images: H×W×3 each, of any size.
        predictions: for each image the columns rank, label, score and true.
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


@style()
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
