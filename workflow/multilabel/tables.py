"""The paper's tables with ours beside them, each written as CSV, Markdown, LaTeX and HTML."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import ArrayLike, NDArray

from multilabel import decisions, metrics, predictions
from multilabel.files import complete_or_absent
from multilabel.predictions import Predictions

PUBLISHED = Path(__file__).with_name("published.yaml")
STD = " std"
"""The end of the name of a column of standard deviations, after the name of that of the means."""
METRICS = ["MP", "MR", "MF1", "µP", "µR", "µF1"]
MAIN_METRICS = {  # heading → name in the metrics files
    "mAP": "mean_average_precision",
    "image AP": "image_average_precision",
    "MF1 top-k": "top_k_macro_f1",
    "µF1 top-k": "top_k_micro_f1",
    "MF1 τ": "cardinality_threshold_macro_f1",
    "µF1 τ": "cardinality_threshold_micro_f1",
}

TABLE1_CAPTION = (
    "Hyper-parameters that were tried. Stage 1 trains the top model on bottleneck features, stage 2 the base network "
    "with its top model on images. Not every combination was run."
)
TABLE3_CAPTION = "Ranked predictions of the final model for the images of Fig. 7. True labels are in bold."
RUNS_CAPTION = (
    "All runs, best validation loss first. The epoch of that loss counts from 0, as in the logs; the accuracy is of "
    "the same epoch."
)


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


def published(path: str | Path = PUBLISHED) -> dict[str, Any]:
    """The numbers that others published, with their sources, as the YAML file has them."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def published_table2() -> pd.DataFrame:
    """Table 2 of Maddox (2017) as printed: group, method, source, dataset and six metrics in percent."""
    content = published()
    table = content["table2"]
    groups = {
        "Published": table["previous"],
        f"{_short(content, table['printed_in'])}: {table['run']}": table["final_model"],
    }
    rows = [
        [group, row["method"], _short(content, row["source"]), row["dataset"], *map(float, row["values"])]
        for group, members in groups.items()
        for row in members
    ]
    return pd.DataFrame(rows, columns=["group", "method", "source", "dataset", *METRICS])


def table1(top_models: Iterable[Any], finetuned: Iterable[Any] = ()) -> pd.DataFrame:
    """The hyper-parameters of both stages and the values that the runs really have.

    Args:
        top_models: runs with `preprocess`, `pooling`, `layers`, `nodes`, `regulariser`, `learning_rate`, `batch_size`.
        finetuned: runs with `frozen`, `learning_rate`, `batch_size`, `augmentation`; without any, stage 2 has no rows.

    Returns:
        Columns Stage, Hyper-parameter, Variants: all text.
    """
    top_models, finetuned = list(top_models), list(finetuned)
    rows = [
        ("1 and 2" if finetuned else "1", "Image preprocessing", _variants(top_models, "preprocess")),
        ("1", "Classifier design", _variants(top_models, "pooling")),
        ("1", "Number of hidden FC layers", _variants(top_models, "layers")),
        ("1", "Number of nodes per layer", _variants(top_models, "nodes")),
        ("1", "Regularisation", _variants(top_models, "regulariser")),
        ("1", "Learning rate", _variants(top_models, "learning_rate")),
        ("1", "Batch size", _variants(top_models, "batch_size")),
    ]
    if finetuned:
        rows += [
            ("2", "Number of frozen layers", _variants(finetuned, "frozen")),
            ("2", "Learning rate", _variants(finetuned, "learning_rate")),
            ("2", "Batch size", _variants(finetuned, "batch_size")),
            ("2", "Data augmentation", _variants(finetuned, "augmentation")),
        ]
    return pd.DataFrame(rows, columns=["Stage", "Hyper-parameter", "Variants"])


def table2(
    truth: ArrayLike,
    scores: ArrayLike,
    augmented_scores: ArrayLike | None,
    *,
    k: int = 3,
    tau: float,
    dataset: str,
    run: str,
    n_random: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 2 of Maddox (2017): its printed rows, then ours for one model. Images without labels are left out.

    Our rows: the best possible with k labels per image (perfect scores; the labels beyond the true ones are drawn at
    random, mean of `n_random` draws); a. the k highest scores; b. the same for images with exactly k labels; c. as many
    labels as the image truly has; d. the same on augmented images; e. scores of at least `tau` (Eq. 10).

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        augmented_scores: N×L, of the same images under random perturbations; None leaves row d out.
        k: labels per image of the rows "best possible", a and b.
        tau: the threshold of row e.
        dataset: what the column `dataset` says of our rows.
        run: the model's name, for the heading of our rows.
        n_random: random draws behind the row "best possible".
        seed: of those draws.

    Returns:
        Columns group, method, source, dataset, then MP, MR, MF1, µP, µR, µF1 in percent (NaN where there is no image).

    Raises:
        ValueError: the arrays differ in shape, or no image has a label.
    """
    truth, scores = np.asarray(truth), np.asarray(scores)
    augmented = None if augmented_scores is None else np.asarray(augmented_scores)
    for name, array in (("scores", scores), ("augmented scores", augmented)):
        if array is not None and array.shape != truth.shape:
            raise ValueError(f"Table 2: expected {name} of the truth's shape {truth.shape}, found {array.shape}")
    cardinality = truth.sum(axis=1)
    labelled, exactly_k = cardinality > 0, cardinality == k
    n = int(labelled.sum())
    if not n:
        raise ValueError(f"Table 2: expected images with labels, found none among {len(truth)}")

    rng = np.random.default_rng(seed)
    y, h = truth[labelled], scores[labelled]
    draws = [_percent(y, decisions.top_k(y.astype(np.float32), k, rng)) for _ in range(n_random)]
    rows = {
        "best possible": np.mean(draws, axis=0),
        f"a. {n} (k > 0)": _percent(y, decisions.top_k(h, k)),
        f"b. {exactly_k.sum()} (k = {k})": _percent(truth[exactly_k], decisions.top_k(scores[exactly_k], k)),
        f"c. {n} (k = L/I)": _percent(y, decisions.top_k_per_image(h, y)),
    }
    if augmented is not None:
        rows[f"d. {n}-a (k = L/I)"] = _percent(y, decisions.top_k_per_image(augmented[labelled], y))
    rows[f"e. {n} (τ = {tau:.3f})"] = _percent(y, decisions.threshold(h, tau))

    ours = pd.DataFrame(list(rows.values()), columns=METRICS)
    for position, (name, values) in enumerate(
        {"group": f"This project: {run}", "method": list(rows), "source": "", "dataset": dataset}.items()
    ):
        ours.insert(position, name, values)
    return pd.concat([published_table2(), ours], ignore_index=True)


def table2_of_run(results: str | Path, run: str, *, test: str, **options: Any) -> tuple[pd.DataFrame, float]:
    """Table 2 of a run, and its threshold, which comes from the validation images.

    Args:
        results: the folder of a dataset's results.
        run: the run's name.
        test: the split that is reported.
        options: k, dataset, n_random and seed of `table2`.
    """
    found, validation = predictions.of_run(results, run, test), predictions.of_run(results, run, "val")
    augmented = predictions.of_run(results, run, test, augmented=True)
    tau = decisions.cardinality_threshold(validation.scores, validation.truth)
    return table2(found.truth, found.scores, augmented.scores, tau=tau, run=run, **options), tau


def table2_caption(dataset: str, test: str, *, k: int, model_from: str, tau_from: str) -> str:
    """The caption of Table 2, which says on which splits the model and the threshold were chosen.

    Args:
        dataset: as in the table's column.
        test: the split that our rows report.
        k: labels per image of row a.
        model_from: the split whose metrics chose the final model.
        tau_from: the split whose label cardinality gave the threshold.
    """
    chosen = (
        f"The {model_from} split chose the final model and the threshold τ"
        if model_from == tau_from
        else f"The {model_from} split chose the final model, the {tau_from} split the threshold τ"
    )
    splits = f"{chosen}; our rows report the labelled images of the {test} split of {dataset}."
    if test in (model_from, tau_from):
        splits += " Choosing and reporting on one split, as the paper does, flatters the result."
    return (
        f"Comparison for k = {k}, in percent. MP, MR and MF1 are precision, recall and F1 of each label, averaged over "
        "the labels; µP, µR and µF1 count all pairs of image and label. Published rows are as printed and stand on the "
        f"dataset that they name. Rows: a. the {k} highest scores of each image; b. the same for images with exactly "
        f"{k} labels; c. as many labels as the image truly has; d. the same on augmented images; e. scores of at least "
        f"τ; best possible: perfect scores cut at {k} labels. {splits}"
    )


def choose_examples(truth: ArrayLike, scores: ArrayLike, image_id: ArrayLike, n: int = 5) -> NDArray[np.intp]:
    """Rows of `n` example images for Fig. 7, from all labels found to none, with several labels where possible.

    An image's quality is the share of its labels among as many highest scores. Wanted are qualities spread evenly from
    1 to 0; for each, the image that is nearest, then nearest to four labels, then the one with the smallest id.

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        image_id: N.
        n: how many; fewer are given where fewer images have labels.

    Returns:
        Row indices, best image first.
    """
    truth, scores, image_id = np.asarray(truth), np.asarray(scores), np.asarray(image_id)
    candidates = np.flatnonzero(truth.any(axis=1))
    y = truth[candidates].astype(bool)
    cardinality = y.sum(axis=1)
    predicted = np.asarray(decisions.top_k_per_image(scores[candidates], y)).astype(bool)
    quality = (y & predicted).sum(axis=1) / cardinality
    chosen: list[int] = []
    for wanted in np.linspace(1, 0, min(n, len(candidates))):
        distance = np.round(np.abs(quality - wanted), 9)
        order = np.lexsort((image_id[candidates], np.abs(cardinality - 4), distance))
        chosen.append(next(i for i in order if i not in chosen))
    return candidates[sorted(chosen, key=lambda i: (-quality[i], chosen.index(i)))]


def example_rows(test: Predictions, image_ids: Sequence[int] = (), n: int = 5) -> NDArray[np.intp]:
    """The rows of the images asked for, in that order; without any, those of `choose_examples`.

    Raises:
        ValueError: an image asked for is not in the split or has no labels; the message lists all such ids.
    """
    if not len(image_ids):
        return choose_examples(test.truth, test.scores, test.image_id, n)
    row_of = {int(image): row for row, image in enumerate(test.image_id)}
    unknown = [image for image in image_ids if image not in row_of]
    if unknown:
        raise ValueError(
            f"figures.fig7: expected ids of labelled images of the test split, found {', '.join(map(str, unknown))}"
        )
    return np.array([row_of[image] for image in image_ids], dtype=np.intp)


def ranked_predictions(truth: ArrayLike, scores: ArrayLike, classes: Sequence[str]) -> pd.DataFrame:
    """One image's highest scores, as many as it has labels (2 to 8), and its remaining true labels with their ranks.

    Args:
        truth: L, 0 or 1.
        scores: L; equal scores rank in the order of the classes.
        classes: L names.

    Returns:
        Columns rank (from 1), label, score, true.
    """
    truth, scores = np.asarray(truth).astype(bool), np.asarray(scores)
    return pd.DataFrame(
        [(rank, classes[j], float(scores[j]), bool(truth[j])) for rank, j in ranked_labels(truth, scores)],
        columns=["rank", "label", "score", "true"],
    )


def ranked_labels(truth: ArrayLike, scores: ArrayLike, also: ArrayLike = 0) -> list[tuple[int, int]]:
    """Rank (from 1) and column of the labels that `ranked_predictions` lists, and of those that are 1 in `also`."""
    truth, scores = np.asarray(truth).astype(bool), np.asarray(scores)
    order = np.argsort(-scores, kind="stable").tolist()
    first, wanted = np.clip(truth.sum(), 2, 8), truth | np.asarray(also, bool)
    return [(rank, j) for rank, j in enumerate(order, start=1) if rank <= first or wanted[j]]


def table3(
    truth: ArrayLike, scores: ArrayLike, classes: Sequence[str], rows: Sequence[int], titles: Sequence[str]
) -> pd.DataFrame:
    """Table 3 of Maddox (2017), one row per prediction: image, rank, label, score, true.

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        classes: L names.
        rows: the rows of `truth` and `scores` that are the example images.
        titles: a name for each, such as "Fig. 7a".
    """
    truth, scores = np.asarray(truth), np.asarray(scores)
    parts = []
    for row, title in zip(rows, titles, strict=True):
        part = ranked_predictions(truth[row], scores[row], classes)
        part.insert(0, "image", title)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def side_by_side(table: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Table 3 as the paper prints it, two columns per image, and which of its cells are bold: `shown` and `bold`."""
    images = list(table.groupby("image", sort=False))
    height = max(len(part) for _, part in images)
    columns, bold = [], np.zeros((height, 2 * len(images)), dtype=bool)
    for j, (title, part) in enumerate(images):
        labels = [f"{rank} {label}" for rank, label in zip(part["rank"], part["label"], strict=True)]
        scores = [f"{score:.2f}" for score in part["score"]]
        padding = [""] * (height - len(part))
        columns.append(pd.DataFrame({title: labels + padding, "pred": scores + padding}))
        bold[: len(part), 2 * j] = part["true"]
    return pd.concat(columns, axis=1), bold


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


def single_label_table(rows: Iterable[tuple[str, str, Mapping[str, float]]]) -> pd.DataFrame:
    """How well models name the objects of an image, as shares of 1: the question of section 2.1 of paper 000.

    Args:
        rows: what the model was trained on, its name, and its metrics as `evaluation.evaluate` names them.

    Returns:
        Columns trained on, model, mAP, then micro precision, recall and F1 of the k highest scores, and the micro F1 of
        as many labels as each image has.
    """
    columns = {
        "mAP": "mean_average_precision",
        "µP top-k": "top_k_micro_precision",
        "µR top-k": "top_k_micro_recall",
        "µF1 top-k": "top_k_micro_f1",
        "µF1 top-k per image": "top_k_per_image_micro_f1",
    }
    table = [(kind, model, *(float(values[name]) for name in columns.values())) for kind, model, values in rows]
    return pd.DataFrame(table, columns=["trained on", "model", *columns])


def _percent(truth: NDArray[Any], predicted: ArrayLike) -> list[float]:
    """The six metrics of Table 2 in percent; NaN without images."""
    if not len(truth):
        return [float("nan")] * len(METRICS)
    return [
        100 * float(value)
        for average in ("macro", "micro")
        for value in metrics.precision_recall_f1(truth, predicted, average=average)
    ]


def _short(content: Mapping[str, Any], source: str) -> str:
    return content["sources"][source]["short"]


def _variants(runs: Iterable[Any], attribute: str) -> str:
    """The values of an attribute, each once: learning rates from the highest down, others up; "none" for no text."""
    values = {getattr(run, attribute) for run in runs}
    ordered = sorted(values, reverse=attribute == "learning_rate")
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) or "none" for value in ordered)


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
