"""Table 1 of Dong et al. (2015) with ours beside it, and the blocks that the chosen features come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from multilabel.experiments.miml.measures import METRICS
from multilabel.experiments.miml.protocol import CLASSIFIERS

PUBLISHED = Path(__file__).with_name("published.yaml")


def published() -> dict[str, Any]:
    """The numbers that others published, by dataset, method and metric: mean and standard deviation."""
    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


def comparison(scores: pd.DataFrame, published: Mapping[str, Any] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table 1 of the paper: each metric's mean and standard deviation, ours and those that were published.

    Args:
        scores: of all splits, see `evaluate`; those of the largest training sets count.
        published: method → metric → [mean, standard deviation]; None: there are none for the dataset.

    Returns:
        The table in numbers (group, method, metric, mean, std), and as it is read: methods × metrics.
    """
    full = scores[scores["images"] == scores["images"].max()]
    rows = [
        {"group": "Published", "method": method, "metric": metric, "mean": mean, "std": std}
        for method, values in (published or {}).items()
        for metric, (mean, std) in values.items()
    ]
    for classifier, part in full.groupby("classifier", sort=False):
        for metric in METRICS:
            mean, std = part[metric].mean(), part[metric].std(ddof=0)
            rows.append({"group": "This project", "method": classifier, "metric": metric, "mean": mean, "std": std})
    table = pd.DataFrame(rows)
    table["text"] = [f"{mean:.3f} ± {std:.3f}" for mean, std in zip(table["mean"], table["std"], strict=True)]
    shown = table.pivot_table(index=["group", "method"], columns="metric", values="text", aggfunc="first", sort=False)
    shown = shown[list(METRICS)].rename(columns={name: f"{name} {arrow}" for name, (_, arrow) in METRICS.items()})
    return table.drop(columns="text"), shown.reset_index().rename_axis(columns=None)


def best_published(published: Mapping[str, Any] | None) -> dict[str, float]:
    """The best value of each metric among the methods that are not the paper's own: the red line of its Fig. 3."""
    others = {method: values for method, values in (published or {}).items() if method not in CLASSIFIERS}
    if not others:
        return {}
    best = {"↑": max, "↓": min}
    return {name: best[arrow](values[name][0] for values in others.values()) for name, (_, arrow) in METRICS.items()}


def chosen_by_block(chosen: pd.DataFrame, blocks: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    """How many features of each block the L1 penalty chose per label, and the share of the block that was chosen.

    One row per block: its features, the mean number chosen per label and split, that number as a share of all that
    were chosen (the block's part of the classifiers) and of the block's features (how dense it was chosen from).
    """
    mean = chosen[chosen["classifier"] == "VGG+L1LR"].groupby("block")["features"].mean()
    table = pd.DataFrame({"features": {name: end - start for name, (start, end) in blocks.items()}})
    table["chosen per label"] = mean
    table["share of chosen"] = table["chosen per label"] / max(table["chosen per label"].sum(), 1e-12)
    table["share of block"] = table["chosen per label"] / table["features"]
    return table.rename_axis("block")
