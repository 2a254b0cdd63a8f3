"""Paper 000 against ours: a row for every number of its tables and text, and for every panel of its figures."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from multilabel.datasets import statistics
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import published as printed
from multilabel.experiments.transfer import runs, tables
from multilabel.experiments.transfer.runs import TopModelRun
from multilabel.report.verdicts import NOT, NOT_RUN, REPRODUCED, WITHIN, Row, not_comparable, number

LAST = 10  # epochs over which losses are compared, as many as early stopping waits
FLAT = 0.002  # above its best loss, a curve is flat
FIELDS = ("preprocess", "pooling", "layers", "nodes", "regulariser", "learning_rate", "batch_size")

Logs = Mapping[str, pd.DataFrame]


def page(
    matrices: Mapping[str, LabelMatrix],
    *,
    test: str,
    table2: pd.DataFrame,
    final: str,
    tau: float,
    top_models: Logs,
    finetuned: Logs,
    panels: Mapping[str, Sequence[str]],
    reference: Logs,
    comparable: bool,
) -> list[Row]:
    """The whole page, in the order of the paper.

    Args:
        matrices: split → its labels: train and `test`.
        test: the split that the tables report.
        table2: what `tables.table2` gives.
        final: the name of the final model.
        tau: its threshold.
        top_models: run → log, of all runs of stage 1.
        finetuned: the same of stage 2.
        panels: panel of Figs. 4 to 6 → its runs.
        reference: the author's logs by run name.
        comparable: whether dataset, network and training are the paper's, so that numbers compare.

    Returns:
        The rows; numbers are not rounded.
    """
    said = printed.load()
    rows = [
        *_dataset_rows(said, {"train": matrices["train"], "val": matrices[test]}),
        *_table1_rows(said, top_models, finetuned),
    ]
    for panel, run_names in panels.items():
        theirs = {run: reference[run] for run in run_names if run in reference}
        ours = {run: top_models[run].assign(seconds=_published_seconds(theirs, run)) for run in run_names}
        rows += _claim_rows(said, panel, ours, theirs)
        rows += _curve_rows(said, panel, ours, theirs)
    rows += _table2_rows(said, table2)
    rows += [
        number(said, "Section 5.1", "threshold τ", said["coco_2017"]["tau"], tau, "share"),
        number(
            said,
            "Section 5.1",
            "validation loss of the final model",
            said["coco_2017"]["val_loss"],
            float(finetuned[final]["val_loss"].min()),
            "loss",
        ),
        *_figure7_rows(said),
    ]
    return rows if comparable else [not_comparable(row) for row in rows]


def _dataset_rows(said: Mapping[str, Any], matrices: Mapping[str, LabelMatrix]) -> Iterator[Row]:
    """Sections 3.1, 3.2 and 6.2, Figs. 2 and 3: what there is to count in the labels."""
    coco = said["coco_2017"]
    counts = statistics.images_per_class(matrices)
    histogram = statistics.labels_per_image(matrices)
    for split, matrix in matrices.items():
        yield number(said, "Section 3.1", f"images, {split}", coco["images"][split], len(matrix), "count")
    yield number(said, "Section 3.1", "classes", coco["classes"], len(counts), "count")
    cardinality = float(matrices["train"].labels.sum(axis=1, dtype=int).mean())
    yield number(said, "Section 3.1", "labels per image, train", coco["labels_per_image"], cardinality, "rounded")
    positives = int(counts["val"].sum())
    yield number(said, "Section 6.2", "positive labels, val", coco["positives"]["val"], positives, "count")
    yield number(
        said,
        "Section 6.2",
        "accuracy of predicting nothing, in percent",
        coco["all_negative_accuracy"],
        100 * (1 - positives / (len(matrices["val"]) * len(counts))),
        "rounded",
    )
    for name, of_split in coco["samples_with_label"].items():
        for split, published in of_split.items():
            ours = int(counts.loc[name, split]) if name in counts.index else None
            what, lacking = f"images with {name}, {split}", f"the dataset has no class {name}"
            yield number(said, "Fig. 2", what, published, ours, "count", lacking=lacking)
    yield _order_of_classes(coco, counts)
    for split, published in coco["unlabelled"].items():
        yield number(said, "Fig. 3", f"images without labels, {split}", published, int(histogram[split][0]), "count")
    yield number(
        said,
        "Fig. 3",
        "most frequent number of labels, val",
        coco["most_frequent_number_of_labels"],
        int(histogram["val"].to_numpy().argmax()),
        "count",
    )
    three = int((matrices["val"].labels.sum(axis=1, dtype=int) == 3).sum())
    yield number(
        said,
        "Fig. 3",
        "images with three labels, val",
        coco["with_three_labels"]["val"],
        three,
        "count",
        known="with_three_labels",
    )


def _order_of_classes(coco: Mapping[str, Any], counts: pd.DataFrame) -> Row:
    """The class of most images, and the two of fewest."""
    most, *least = coco["samples_with_label"]
    published = f"{most}; {', '.join(sorted(least))}"
    ordered = counts["train"].sort_values(kind="stable").index
    ours = f"{ordered[-1]}; {', '.join(sorted(ordered[: len(least)]))}"
    verdict = REPRODUCED if ours == published else NOT
    return Row(
        "Fig. 2", "most and least frequent classes, train", published, ours, None, verdict, "counted in the labels"
    )


def _table1_rows(said: Mapping[str, Any], top_models: Logs, finetuned: Logs) -> Iterator[Row]:
    """Table 1: whether each variant was run, and the size of the grid."""
    table = said["table1"]
    parsed = {
        "top_models": [runs.parse(name) for name in top_models],
        "finetuned": [runs.parse(n) for n in finetuned],
    }
    for stage, position in (("top_models", 1), ("finetuned", 2)):
        for attribute, published in table[stage].items():
            found = list(dict.fromkeys(getattr(run, attribute) for run in parsed[stage]))
            lacking = [value for value in published if value not in found]
            yield Row(
                "Table 1",
                f"stage {position}: {attribute.replace('_', ' ')}",
                ", ".join(map(str, published)),
                ", ".join(map(str, sorted(found))) or "none",
                None,
                NOT if lacking else REPRODUCED,
                f"the configuration has no run with {', '.join(map(str, lacking))}" if lacking else "all were run",
            )
    size = sum(
        isinstance(run, TopModelRun)
        and (run.preprocess, run.pooling, run.regulariser) == ("zmuvs", "avg", "d5")
        and run.layers in table["top_models"]["layers"]
        and run.learning_rate in table["top_models"]["learning_rate"]
        and run.batch_size in (32, 64, 128)  # 256 was for a few runs besides
        for run in parsed["top_models"]
    )
    yield number(said, "Section 4.3", "runs of the grid", table["runs"], size, "count", known="grid")


def _claim_rows(said: Mapping[str, Any], panel: str, ours: Logs, theirs: Logs) -> Iterator[Row]:
    """What the text says of a panel, checked on every pair of runs that it is about."""
    for claim in said["reproduction"]["claims"]:
        if claim["panel"] != panel:
            continue
        where = f"Fig. {panel.removeprefix('fig')}"
        found, his = _holds(claim, ours), _holds(claim, theirs)
        his_own = f"; in the author's logs for {sum(his.values())} of {len(his)}" if his else ""
        if not found:
            why = f"the panel has no such pair of runs{his_own}"
            yield Row(where, claim["text"], "yes", None, None, NOT_RUN, why)
            continue
        his_own += "; by the author's seconds per epoch" if claim.get("by") == "time" else ""
        against = "; not for " + ", ".join(pair for pair, holds in found.items() if not holds)
        held = sum(found.values())
        why = f"holds for {held} of {len(found)} pairs{against if held < len(found) else ''}{his_own}"
        verdict = REPRODUCED if held == len(found) else NOT
        yield Row(where, claim["text"], "yes", f"{held} of {len(found)}", None, verdict, why)


def _holds(claim: Mapping[str, Any], logs: Logs) -> dict[str, bool]:
    """Each pair of runs that a claim is about, and whether it holds for it."""
    by = claim.get("by", "loss")
    parsed = {name: runs.parse(name) for name in logs}
    found = {}
    for a, b in itertools.permutations(parsed, 2):
        if by == "overlap":
            if _scaled(parsed[a], parsed[b]):
                found[f"{_short(a)} and {_short(b)}"] = _overlaps(logs, a, b)
            continue
        differing = [field for field in FIELDS if getattr(parsed[a], field) != getattr(parsed[b], field)]
        attribute = claim["attribute"]
        if attribute not in differing or (len(differing) > 1 and not claim.get("any")):
            continue
        first, second = getattr(parsed[a], attribute), getattr(parsed[b], attribute)
        if "lower" in claim:
            wanted = first in claim["lower"] and second not in claim["lower"]
            wanted = wanted and second in claim.get("higher", [second])
        else:
            wanted = first > second
        if wanted and not (by == "time" and any(logs[run]["seconds"].isna().any() for run in (a, b))):
            found[f"{_short(a)} and {_short(b)}"] = bool(_MEASURES[by](logs[a], logs[b]) < 0)
    return found


def _late_loss(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """How far the first log's loss is above the second's, in the last epochs that both have."""
    common = min(len(a), len(b))
    late = slice(max(common - LAST, 0), common)
    return float(np.mean(a["val_loss"].to_numpy()[late] - b["val_loss"].to_numpy()[late]))


def _flat(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """How many epochs later the first log is flat."""
    first, second = (_first(log, log["val_loss"].min() + FLAT) for log in (a, b))
    return first - second


def _published_seconds(theirs: Logs, run: str) -> float:
    """What an epoch of a run took the author, so that claims about time do not depend on our machine; NaN: unknown."""
    return float(theirs[run]["seconds"].mean()) if run in theirs else np.nan


def _time(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """How many seconds later the first log reaches the loss that both reach, on the author's GPU."""
    goal = max(a["val_loss"].min(), b["val_loss"].min())
    first, second = (_first(log, goal) * float(log["seconds"].mean()) for log in (a, b))
    return first - second


_MEASURES = {"loss": _late_loss, "flat": _flat, "time": _time}


def _first(log: pd.DataFrame, loss: float) -> int:
    """The number of epochs until a loss is reached."""
    return int((log["val_loss"] <= loss).to_numpy().argmax()) + 1


def _scaled(a: runs.Run, b: runs.Run) -> bool:
    """Whether learning rate and batch size of the first are those of the second by one factor above 1."""
    if not isinstance(a, TopModelRun) or not isinstance(b, TopModelRun) or a.learning_rate <= b.learning_rate:
        return False
    others = [field for field in FIELDS if field not in ("learning_rate", "batch_size")]
    same = all(getattr(a, field) == getattr(b, field) for field in others)
    return same and bool(np.isclose(a.learning_rate / b.learning_rate, a.batch_size / b.batch_size))


def _overlaps(logs: Logs, a: str, b: str) -> bool:
    """Whether two curves are nearer to each other than either is to any other."""

    def distance(first: str, second: str) -> float:
        common = min(len(logs[first]), len(logs[second]))
        one, other = (logs[run]["val_loss"].to_numpy()[:common] for run in (first, second))
        return float(np.abs(one - other).mean())

    others = [distance(run, other) for run in (a, b) for other in logs if other not in (a, b)]
    return bool(distance(a, b) < min(others, default=np.inf))


def _curve_rows(said: Mapping[str, Any], panel: str, ours: Logs, theirs: Logs) -> Iterator[Row]:
    """A panel's curves beside the author's: their order, best losses and lengths."""
    where = f"Fig. {panel.removeprefix('fig')}, author's logs"
    common = [run for run in ours if run in theirs]
    if not common:
        text = "the panel's curves" if not theirs else "the curves that the author's logs have"
        reason = "none of this panel's runs is among the author's logs"
        yield Row(where, f"{text}: order, best losses, lengths", None, None, None, NOT_RUN, reason)
        return
    best = {who: {run: float(logs[run]["val_loss"].min()) for run in common} for who, logs in _both(ours, theirs)}
    if len(common) > 1:
        yield _order_row(said, where, best["theirs"], best["ours"], len(ours))
    if panel == "fig6b":
        for run in common:
            seconds = float(theirs[run]["seconds"].mean())
            why = "of the author's GPU of 2017; what our epochs took is in the folder timing"
            yield Row(where, f"seconds per epoch of {_short(run)}", seconds, None, None, NOT_RUN, why)
        return
    lengths = {who: {run: len(logs[run]) for run in common} for who, logs in _both(ours, theirs)}
    for run in common:
        name = _short(run)
        yield number(said, where, f"best loss of {name}", round(best["theirs"][run], 5), best["ours"][run], "loss")
        yield number(
            said,
            where,
            f"epochs of {name}",
            lengths["theirs"][run],
            lengths["ours"][run],
            "epochs",
            relative=True,
        )


def _order_row(
    said: Mapping[str, Any], where: str, theirs: Mapping[str, float], ours: Mapping[str, float], drawn: int
) -> Row:
    """Whether the curves come in the same order."""
    order = [" < ".join(_short(run) for run in sorted(best, key=best.__getitem__)) for best in (theirs, ours)]
    correlation = float(kendalltau(list(theirs.values()), list(ours.values())).statistic)
    distance = 1 - correlation
    narrow, wide = said["reproduction"]["bands"]["order"]
    verdict = REPRODUCED if distance <= narrow + 1e-9 else WITHIN if distance <= wide + 1e-9 else NOT
    of_all = "" if drawn == len(ours) else f"; the logs have {len(ours)} of the {drawn} curves"
    why = f"Kendall's rank correlation is {correlation:.2f}{of_all}"
    return Row(where, f"order of {len(ours)} curves by best loss", order[0], order[1], None, verdict, why)


def _table2_rows(said: Mapping[str, Any], table2: pd.DataFrame) -> Iterator[Row]:
    """Table 2: its own six rows number by number, the rows that it quotes as they are."""
    for row in said["table2"]["previous"]:
        source = said["sources"][row["source"]]["short"]
        values = " ".join(f"{value:.1f}" for value in row["values"])
        why = f"quoted from others ({source}, {row['dataset']}): not a result of the paper"
        yield Row("Table 2", f"{row['method']}: {', '.join(tables.METRICS)}", values, None, None, NOT_RUN, why)
    is_ours = table2["group"].str.startswith("This project")
    ours = {str(method)[:2]: row for method, row in table2[is_ours].set_index("method").iterrows()}
    for row in said["table2"]["final_model"]:
        found = ours.get(row["method"][:2])
        for metric, published in zip(tables.METRICS, row["values"], strict=True):
            value = None if found is None else float(found[metric])
            what, lacking = f"{row['method']}: {metric}", "no test image has as many labels"
            known = row["method"][:2]
            yield number(said, "Table 2", what, published, value, "percent", known=known, lacking=lacking)


def _figure7_rows(said: Mapping[str, Any]) -> Iterator[Row]:
    for image, predictions in said["table3"]["predictions"].items():
        text = ", ".join(f"{rank} {label} {score:.2f}" for rank, label, score, _ in predictions)
        why = "the paper does not say which images these are; ours are in Fig. 7 and Table 3"
        yield Row(f"{image}, Table 3", "ranked predictions", text, None, None, NOT_RUN, why)


def _both(ours: Logs, theirs: Logs) -> Iterable[tuple[str, Logs]]:
    return (("ours", ours), ("theirs", theirs))


def _short(run: str) -> str:
    """A run's design: the name without dataset."""
    parsed = runs.parse(run)
    return parsed.short_name.removeprefix("zmuvs_avg_").replace("d5_", " ").replace("_", " ")
