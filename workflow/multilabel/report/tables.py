"""The paper's tables with ours beside them, each written as CSV, Markdown, LaTeX and HTML."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel.evaluation.headings import MAIN_METRICS
from multilabel.files import complete_or_absent

STD = " std"
"""The end of the name of a column of standard deviations, after the name of that of the means."""


def write_table(
    frame: pd.DataFrame,
    path_stem: str | Path,
    caption: str,
    *,
    digits: int | Mapping[str, int] = 3,
    shown: pd.DataFrame | None = None,
    bold: ArrayLike | None = None,
    group: str | None = None,
) -> None:
    """Write `path_stem`.csv in full precision, and .md, .tex (booktabs) and .html to be read; same table, same bytes.

    A missing number is empty in the CSV and a dash in the others. An index with a name is a column.

    Args:
        frame: the table; what the CSV holds.
        path_stem: the four paths without their endings; the stem's last part becomes the LaTeX label.
        caption: plain text.
        digits: decimals of the floats where they are read, for all columns or by name (others: 3).
        shown: what the others hold where their layout differs from the CSV's; `frame` by default.
        bold: which cells of `shown` are bold, booleans of its shape.
        group: a column whose values become headings between the rows, but in the CSV.

    Raises:
        ValueError: `bold` does not fit `shown`, or `group` is not a column.
    """
    stem = Path(path_stem)
    frame = _with_index(frame)
    shown = frame if shown is None else _with_index(shown)
    marks = np.zeros(shown.shape, dtype=bool) if bold is None else np.asarray(bold, dtype=bool)
    if marks.shape != shown.shape:
        raise ValueError(f"{stem}: expected bold marks of the table's shape {shown.shape}, found {marks.shape}")
    if group is not None and group not in shown:
        raise ValueError(f"{stem}: expected the group among the columns {list(shown)}, found {group!r}")

    keep = [j for j, name in enumerate(shown.columns) if name != group]
    header = [str(shown.columns[j]) for j in keep]
    cells = [[_text(shown.iloc[i, j], digits, shown.columns[j]) for j in keep] for i in range(len(shown))]
    headings = _headings(shown[group]) if group else {}
    for suffix, content in (
        (".csv", frame.to_csv(index=False, lineterminator="\n")),
        (".md", _markdown(header, cells, marks[:, keep], headings, caption)),
        (".tex", _latex(header, cells, marks[:, keep], headings, caption, stem.name)),
        (".html", _html(header, cells, marks[:, keep], headings, caption)),
    ):
        with complete_or_absent(stem.with_name(stem.name + suffix)) as temporary:
            temporary.write_text(content, encoding="utf-8")


def run_table(
    logs: Mapping[str, pd.DataFrame], repeats: Mapping[str, Sequence[pd.DataFrame]] | None = None
) -> pd.DataFrame:
    """One row per training run, best validation loss first; a run without any finite loss comes last.

    Args:
        logs: run name → its log with the columns epoch, val_loss and val_acc.
        repeats: run name → its logs from further seeds, for some of the runs.

    Returns:
        Columns run, epochs (how many were trained), best_epoch (as the log numbers it), val_loss and val_acc at it.
        With repeats also seeds, `val_loss of seeds`, the mean of the best losses over all seeds, and
        `val_loss of seeds std`, their sample standard deviation; empty for runs of one seed.

    Raises:
        ValueError: a log has no rows.
    """
    empty = [run for run, log in logs.items() if log.empty]
    if empty:
        raise ValueError(f"expected at least one epoch in every log, found none in: {', '.join(empty)}")
    rows = []
    for run, log in logs.items():
        loss = log["val_loss"].to_numpy(dtype=float)
        best = log.iloc[int(np.argmin(np.where(np.isfinite(loss), loss, np.inf)))]
        rows.append((run, len(log), int(best["epoch"]), float(best["val_loss"]), float(best["val_acc"])))
    table = pd.DataFrame(rows, columns=["run", "epochs", "best_epoch", "val_loss", "val_acc"])
    if repeats:
        lowest = {run: [log["val_loss"].min() for log in (logs[run], *others)] for run, others in repeats.items()}
        table["seeds"] = table["run"].map({run: len(losses) for run, losses in lowest.items()}).astype("Int64")
        table["val_loss of seeds"] = table["run"].map({run: np.mean(losses) for run, losses in lowest.items()})
        table[f"val_loss of seeds{STD}"] = table["run"].map({run: np.std(v, ddof=1) for run, v in lowest.items()})
    return table.sort_values(["val_loss", "run"], ignore_index=True)


def metric_table(rows: Iterable[tuple[str, str, Sequence[Mapping[str, float]]]]) -> pd.DataFrame:
    """The main metrics of several models, as shares of 1.

    Args:
        rows: the kind of model, the run's name, and its metrics from each seed as `evaluation.evaluate` names them.

    Returns:
        Columns model, run, mAP (mean over the classes), image AP (mean over the images), then macro and micro F1 after
        the k highest scores and after the threshold of label cardinality: means over the seeds. If a row has several
        seeds, also their sample standard deviations, `mAP std` and so on; empty for rows of one.
    """
    found = [(model, run, pd.DataFrame(seeds)[list(MAIN_METRICS.values())]) for model, run, seeds in rows]
    table = pd.DataFrame([(model, run, *seeds.mean()) for model, run, seeds in found])
    table.columns = ["model", "run", *MAIN_METRICS]
    if any(len(seeds) > 1 for _, _, seeds in found):
        deviations = pd.DataFrame([seeds.std() for _, _, seeds in found]).to_numpy()
        table[[f"{name}{STD}" for name in MAIN_METRICS]] = deviations
    return table


def with_deviations(frame: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """The table as it is read: what a column `x std` holds is written into x, as mean ± standard deviation.

    >>> with_deviations(pd.DataFrame({"mAP": [0.5, 0.25], "mAP std": [0.0625, np.nan]}), digits=2)["mAP"].tolist()
    ['0.50 ± 0.06', '0.25']
    """
    shown = frame.copy()
    for name in [str(column).removesuffix(STD) for column in frame if str(column).endswith(STD)]:
        pairs = zip(frame[name], shown.pop(f"{name}{STD}"), strict=True)
        texts = [[_text(value, digits, name) for value in pair if not np.isnan(value)] for pair in pairs]
        shown[name] = [" ± ".join(pair) or _text(None, digits, name) for pair in texts]
    return shown


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


def _text(value: Any, digits: int | Mapping[str, int], column: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "–"
    if isinstance(value, float | np.floating):
        return f"{value:.{digits if isinstance(digits, int) else digits.get(column, 3)}f}"
    return str(value)


def _headings(groups: pd.Series) -> dict[int, str]:
    """Row number → heading above it, wherever the group changes."""
    values = [str(value) for value in groups]
    return {i: value for i, value in enumerate(values) if i == 0 or value != values[i - 1]}


def _is_numeric(cells: list[list[str]], column: int) -> bool:
    return all(re.fullmatch(r"[-–]?[\d.]*( ± [\d.]+)?", row[column]) for row in cells)


def _markdown(
    header: list[str], cells: list[list[str]], bold: NDArray[np.bool_], headings: dict[int, str], caption: str
) -> str:
    """A GitHub-flavoured Markdown table under its caption, the columns padded so that the source reads as a table."""
    rows = [[_markdown_escaped(name) for name in header]]
    for i, row in enumerate(cells):
        if i in headings:
            rows.append([f"**{_markdown_escaped(headings[i])}**"] + [""] * (len(header) - 1))
        texts = map(_markdown_escaped, row)
        rows.append([f"**{text}**" if mark else text for text, mark in zip(texts, bold[i], strict=True)])
    widths = [max(3, *(len(row[j]) for row in rows)) for j in range(len(header))]
    right = [_is_numeric(cells, j) for j in range(len(header))]
    rule = ["-" * (width - 1) + ":" if numeric else "-" * width for width, numeric in zip(widths, right, strict=True)]
    rows.insert(1, rule)
    lines = [
        "| "
        + " | ".join(
            text.rjust(width) if numeric else text.ljust(width)
            for text, width, numeric in zip(row, widths, right, strict=True)
        )
        + " |"
        for row in rows
    ]
    return "\n".join([_markdown_escaped(caption), "", *lines, ""])


def _latex(
    header: list[str],
    cells: list[list[str]],
    bold: NDArray[np.bool_],
    headings: dict[int, str],
    caption: str,
    label: str,
) -> str:
    """A floating booktabs table."""
    lines = []
    for i, row in enumerate(cells):
        if i in headings:
            lines += [r"\midrule"] if i else []
            lines.append(rf"\multicolumn{{{len(header)}}}{{l}}{{\textit{{{_latex_escaped(headings[i])}}}}} \\")
        texts = map(_latex_escaped, row)
        marked = [rf"\textbf{{{text}}}" if mark else text for text, mark in zip(texts, bold[i], strict=True)]
        lines.append(" & ".join(marked) + r" \\")
    columns = "".join("r" if _is_numeric(cells, j) else "l" for j in range(len(header)))
    # Only a heading's F1 is the metric; in a cell it may be part of a name.
    names = [_latex_escaped(name).replace("F1", "F$_1$") for name in header]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex_escaped(caption)}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(names) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{caption}</title>
<style>
  body {{font: 14px/1.4 sans-serif; margin: 1.5em; color: #111; background: #fff}}
  table {{border-collapse: collapse; border-block: 2px solid}}
  caption {{text-align: left; padding-bottom: 0.6em}}
  th {{text-align: left; border-bottom: 1px solid}}
  th, td {{padding: 0.2em 0.8em; white-space: nowrap}}
  .number {{text-align: right}}
</style>
<table>
<caption>{caption}</caption>
{rows}
</table>
"""


def _html(
    header: list[str], cells: list[list[str]], bold: NDArray[np.bool_], headings: dict[int, str], caption: str
) -> str:
    """A page of its own, which the report shows."""
    kinds = [" class=number" if _is_numeric(cells, j) else "" for j in range(len(header))]
    rows = ["".join(f"<th{kind}>{html.escape(name)}" for kind, name in zip(kinds, header, strict=True))]
    for i, row in enumerate(cells):
        if i in headings:
            rows.append(f"<th colspan={len(header)}>{html.escape(headings[i])}")
        texts = map(html.escape, row)
        marked = [f"<b>{text}</b>" if mark else text for text, mark in zip(texts, bold[i], strict=True)]
        rows.append("".join(f"<td{kind}>{text}" for kind, text in zip(kinds, marked, strict=True)))
    return _PAGE.format(caption=html.escape(caption), rows="\n".join(f"<tr>{row}" for row in rows))


_MARKDOWN = str.maketrans({"\\": r"\\", "|": r"\|", "*": r"\*", "<": "&lt;"})
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": "$<$",
        ">": "$>$",
        "µ": r"$\mu$",
        "τ": r"$\tau$",
        "×": r"$\times$",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "…": r"\ldots{}",
    }
)


def _markdown_escaped(text: str) -> str:
    return text.translate(_MARKDOWN).replace("\n", " ")


def _latex_escaped(text: str) -> str:
    return text.translate(_LATEX).replace("\n", " ")
