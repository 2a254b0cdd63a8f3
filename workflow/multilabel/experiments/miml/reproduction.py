"""Paper 003 against ours: a row for every number of its Table 1 and for what its text says of Table 1 and Fig. 3."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from multilabel.experiments.miml.measures import METRICS
from multilabel.experiments.miml.protocol import CLASSIFIERS
from multilabel.experiments.miml.tables import best_published
from multilabel.report.verdicts import NOT, NOT_RUN, REPRODUCED, Row, not_comparable, number

Means = Mapping[str, Mapping[str, float]]
"""Classifier → metric → its mean over the splits."""


def page(said: Mapping[str, Any], dataset: str, scores: pd.DataFrame, *, comparable: bool) -> list[Row]:
    """The whole page of a dataset, in the order of the paper.

    Args:
        said: of `tables.published`.
        dataset: its name there, such as `msrc`; of another one the paper has no numbers, and its claims are checked.
        scores: of all splits: classifier (named as in the paper), images that trained, and a column per metric.
        comparable: whether network, features and splits are the paper's, so that numbers compare.

    Returns:
        The rows; numbers are not rounded.
    """
    published = said.get(dataset)
    full = scores[scores["images"] == scores["images"].max()]
    means: Means = full.groupby("classifier")[list(METRICS)].mean().to_dict("index")
    rows = [*_table1_rows(said, published or {}, means), *_claim_rows(published, means), _flattening(scores)]
    return rows if comparable and published else [not_comparable(row) for row in rows]


def _table1_rows(said: Mapping[str, Any], published: Mapping[str, Any], means: Means) -> Iterator[Row]:
    """Each number of the paper's own two methods; those of the six others, which it quotes, as they are."""
    for method, values in published.items():
        if method in CLASSIFIERS:
            for metric, (mean, _) in values.items():
                yield number(said, "Table 1", f"{method}: {metric}", mean, means[method][metric], "mean")
        else:
            text = ", ".join(f"{mean:.3f}" for mean, _ in values.values())
            why = "quoted from Huang et al. (2014): not a result of the paper"
            yield Row("Table 1", f"{method}: {', '.join(values)}", text, None, None, NOT_RUN, why)


def _claim_rows(published: Mapping[str, Any] | None, means: Means) -> Iterator[Row]:
    """What the text says of Table 1."""
    best = best_published(published)
    if best:
        pairs = {
            f"{name}, {metric}": _gain(metric, best[metric], means[name][metric])
            for name in CLASSIFIERS
            for metric in METRICS
        }
        yield _claim("Table 1", "both methods are better than the six others", pairs)
    else:
        why = "the paper has no results of others on this dataset"
        yield Row("Table 1", "both methods are better than the six others", "yes", None, None, NOT_RUN, why)
    l1, l2 = (next(name for name, penalty in CLASSIFIERS.items() if penalty == wanted) for wanted in ("l1", "l2"))
    pairs = {metric: _gain(metric, means[l2][metric], means[l1][metric]) for metric in METRICS}
    yield _claim("Table 1", f"{l1} is better than {l2}", pairs)


def _flattening(scores: pd.DataFrame) -> Row:
    """What the text says of Fig. 3: the first half of the images brings more than the second."""
    text = "the curves flatten with more training images"
    sizes = np.sort(scores["images"].unique())
    if len(sizes) < 3:
        return Row("Fig. 3", text, "yes", None, None, NOT_RUN, "fewer than three numbers of training images")
    few, many = sizes[0], sizes[-1]
    half = sizes[1:-1][np.abs(sizes[1:-1] - many / 2).argmin()]
    means = scores.groupby(["classifier", "images"])[list(METRICS)].mean()
    pairs = {}
    for name in CLASSIFIERS:
        for metric in METRICS:
            first, middle, last = (float(means[metric][name, size]) for size in (few, half, many))
            pairs[f"{name}, {metric}"] = _gain(metric, first, middle) - _gain(metric, middle, last)
    return _claim("Fig. 3", text, pairs, f"from {few} to {half} images more is won than from {half} to {many}; ")


def _gain(metric: str, before: float, after: float) -> float:
    """By how much a value is better than another."""
    return float(after - before if METRICS[metric][1] == "↑" else before - after)


def _claim(where: str, text: str, gains: Mapping[str, float], meaning: str = "") -> Row:
    """A row for a statement that holds where the gains are above 0."""
    against = [pair for pair, gain in gains.items() if not gain > 0]
    held = len(gains) - len(against)
    but = f"; not for {'; '.join(against)}" if against else ""
    why = f"{meaning}holds for {held} of {len(gains)}{but}"
    return Row(where, text, "yes", f"{held} of {len(gains)}", None, NOT if against else REPRODUCED, why)
