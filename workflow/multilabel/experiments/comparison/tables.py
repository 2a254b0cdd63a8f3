"""The tables of the comparison: how good methods are, whether they differ, each class, and what they cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from multilabel.evaluation import bootstrap, metrics
from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.comparison.protocol import LESS_IS_BETTER, METRICS, Judged

TESTED = ("mAP", "macro F1", "micro F1")
"""The metrics whose differences are tested."""
ALPHA = 0.05
COSTS = {
    "positive labels": "positive labels seen in training",
    "trained parameters": "trained parameters",
    "training s": "seconds of training",
    "training MB": "memory of training (MB)",
    "ms per image": "milliseconds per image",
    "file MB": "model file (MB)",
}
"""Columns of costs, and what they are called on an axis."""


def quality(found: Mapping[str, Judged], resampled: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """A row per method, the highest mAP first: name, method, seeds, and of each metric its value, low, high and std.

    The value is that of the first seed, to which the 95 % interval over the test images belongs; `mean` and `std` are
    over the seeds, empty where there is one.
    """
    rows = []
    for name, judged in found.items():
        row: dict[str, Any] = {"name": name, "method": judged.method.title, "seeds": len(judged.seeds)}
        for heading, metric in METRICS.items():
            value = judged.values[metric]
            low, high = bootstrap.interval(resampled[name][metric], value)
            of_seeds = [values[metric] for values in judged.seeds]
            several = len(of_seeds) > 1
            row |= {
                heading: value,
                f"{heading} low": low,
                f"{heading} high": high,
                f"{heading} mean": np.mean(of_seeds) if several else np.nan,
                f"{heading} std": np.std(of_seeds, ddof=1) if several else np.nan,
            }
        rows.append(row)
    return pd.DataFrame(rows).sort_values(["mAP", "name"], ascending=[False, True], ignore_index=True)


def quality_as_read(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The same with a column per metric, mAP with its interval and its seeds; and which cells are the best: bold."""
    shown = table[["method"]].copy()
    bold = np.zeros((len(table), 1 + len(METRICS) + 2), bool)
    for heading in METRICS:
        values = table[heading].round(3)
        best = values == (values.min() if heading in LESS_IS_BETTER else values.max())
        bold[:, shown.shape[1]] = best
        shown[f"{heading} {'↓' if heading in LESS_IS_BETTER else '↑'}"] = table[heading]
        if heading == "mAP":
            pairs = zip(table["mAP low"], table["mAP high"], strict=True)
            shown["95 % interval"] = [f"{low:.3f} to {high:.3f}" for low, high in pairs]
            seeds = zip(table["mAP mean"], table["mAP std"], table["seeds"], strict=True)
            shown["over seeds"] = [None if np.isnan(std) else f"{mean:.3f} ± {std:.3f} ({n})" for mean, std, n in seeds]
    return shown, bold


def differences(
    found: Mapping[str, Judged], resampled: Mapping[str, Mapping[str, np.ndarray]], reference: str
) -> pd.DataFrame:
    """A row per other method and tested metric: how far it is from `reference` on the same resamples, with p-values.

    Returns:
        name, method, metric, difference (method − reference), low, high: the paired 95 % interval; p, and `p adjusted`
        by Holm over all methods for each metric; and `told apart`, whether the latter is below 0.05.
    """
    table = bootstrap.paired(
        {name: judged.values for name, judged in found.items()},
        resampled,
        [(name, reference) for name in found if name != reference],
        {heading: METRICS[heading] for heading in TESTED},
    )
    table = table[["run", "metric", "difference", "low", "high", "p"]].rename(columns={"run": "name"})
    table.insert(1, "method", [found[name].method.title for name in table["name"]])
    table["p adjusted"] = table.groupby("metric")["p"].transform(lambda p: bootstrap.holm(p.to_numpy()))
    table["told apart"] = table["p adjusted"] < ALPHA
    return table


def differences_as_read(table: pd.DataFrame) -> pd.DataFrame:
    """A row per method, a column per metric: the difference, its interval, the adjusted p-value; * where told apart."""
    texts = [
        f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f}), p {row['p adjusted']:.3f}"
        + ("*" if row["told apart"] else "")
        for row in table.to_dict("records")
    ]
    shown = table.assign(text=texts).pivot_table(
        index="method", columns="metric", values="text", aggfunc="first", sort=False
    )
    order = table[table["metric"] == TESTED[0]].sort_values("difference", ascending=False)["method"]
    return shown.loc[order, list(TESTED)].rename_axis(columns=None)


def per_class(found: Mapping[str, Judged], classes: Sequence[str], counts: np.ndarray) -> pd.DataFrame:
    """Average precision of each class (rows, the most frequent in training first) with each method (columns by name).

    Args:
        found: the methods.
        classes: L names.
        counts: L, how many training images have them.

    Returns:
        Columns class, `training images`, `test images`, then one per method.
    """
    truth = np.ma.filled(next(iter(found.values())).test.truth, 0)
    table = pd.DataFrame({"class": list(classes), "training images": counts, "test images": truth.sum(axis=0)})
    for name, judged in found.items():
        table[name] = metrics.average_precision_per_class(judged.test.truth, judged.test.scores)
    return table.sort_values(["training images", "class"], ascending=[False, True], ignore_index=True)


def by_size(found: Mapping[str, Judged], smaller: Mapping[str, Mapping[int, Predictions]], images: int) -> pd.DataFrame:
    """How mean average precision grows with the number of training images: name, method, images, mAP.

    Args:
        found: the methods.
        smaller: of some of them, what they predict for the test images after training on fewer images, by their number.
        images: how many all training images are.
    """
    rows = []
    for name, parts in smaller.items():
        title = found[name].method.title
        for size, test in sorted(parts.items()):
            if size < images:
                rows.append((name, title, size, metrics.mean_average_precision(test.truth, test.scores)))
        rows.append((name, title, images, found[name].values[METRICS["mAP"]]))
    return pd.DataFrame(rows, columns=["name", "method", "images", "mAP"])


def pareto(cost: ArrayLike, gain: ArrayLike) -> np.ndarray:
    """Which of some points no other one beats: none is as good for less cost, or better for as much; booleans.

    A point without a cost (not a number) is not among them.

    >>> pareto([1, 2, 3, 2], [0.5, 0.7, 0.6, 0.7]).tolist()
    [True, True, False, True]
    """
    cost_, gain_ = np.asarray(cost, np.float64), np.asarray(gain, np.float64)
    cheaper, better = cost_ <= cost_[:, None], gain_ >= gain_[:, None]
    strictly = (cost_ < cost_[:, None]) | (gain_ > gain_[:, None])
    return ~(cheaper & better & strictly).any(axis=1) & ~np.isnan(cost_)
