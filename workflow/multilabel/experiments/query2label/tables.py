"""Table I of paper 001 with ours beside it; Query2Label beside what else the same base can do; where labels looked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from multilabel.evaluation import bootstrap
from multilabel.evaluation.predictions import Predictions
from multilabel.report import verdicts

PUBLISHED = Path(__file__).with_name("published.yaml")
METRICS = {
    "mAP": "mean_average_precision",
    "mAP (VOC)": "voc_mean_average_precision",
    "MF1 top-k": "top_k_macro_f1",
    "µF1 top-k": "top_k_micro_f1",
    "MF1 τ": "cardinality_threshold_macro_f1",
    "µF1 τ": "cardinality_threshold_micro_f1",
}
"""Heading → name in the metrics files."""


def published() -> dict[str, Any]:
    """Table I of paper 001, the limits of the verdicts, and the labels of the released checkpoints."""
    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


def table1(metrics: Mapping[str, Mapping[str, float]], departures: Sequence[str]) -> list[verdicts.Row]:
    """Table I, each printed number against ours: PASCAL VOC's mAP, and scikit-learn's, which is a little lower.

    Args:
        metrics: the row that a checkpoint belongs to → its metrics on all test images.
        departures: in words, where the configuration is not the paper's; then numbers do not compare.
    """
    said = published()
    lacking = "its checkpoint is not in query2label.checkpoints"
    rows = []
    for entry in said["table1"]["rows"]:
        of_row = metrics.get(entry["row"], {})
        what = f"{entry['row']}, {entry['backbone']}, {entry['size']} × {entry['size']}"
        for column, name in (("Ours", "printed"), ("Paper", "paper")):
            for heading in ("mAP (VOC)", "mAP"):
                ours = 100 * of_row[METRICS[heading]] if of_row else None
                where = f"{said['table1']['where']}, {column}"
                rows.append(
                    verdicts.number(said, where, f"{what}: {heading}", entry[name], ours, "mAP", lacking=lacking)
                )
    return [verdicts.not_comparable(row) for row in rows] if departures else rows


def comparison(
    runs: Mapping[str, Sequence[tuple[Predictions, Predictions]]],
    metrics: Mapping[str, Sequence[Mapping[str, float]]],
    cost: pd.DataFrame,
    *,
    k: int,
    resamples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is trained on one base: metrics, their intervals, and what a network costs.

    Args:
        runs: model → what each of its seeds predicts for the test images, and for those that choose thresholds; the
            first model is compared with the others.
        metrics: model → the metrics of each of its seeds.
        cost: model, parameters, ms per image.
        k: labels per image of the decision `top_k`.
        resamples: how many.
        seed: of their draws.

    Returns:
        The table in numbers: model, seeds, each metric's mean over the seeds and deviation, the bounds of the 95 %
        interval of the first seed's mAP, how far below the first model's mAP it is, over the seeds and with the bounds
        of the paired interval, parameters and ms per image; and as it is read.
    """
    first = next(iter(runs))
    paired = bootstrap.comparisons(
        {model: found[0] for model, found in runs.items()},
        [(first, other) for other in list(runs)[1:]],
        k=k,
        n=resamples,
        seed=seed,
    )
    costs = cost.groupby("model", sort=False)[["parameters", "ms per image"]].first()
    table = []
    for model, found in runs.items():
        values = pd.DataFrame(metrics[model])[list(METRICS.values())].set_axis(list(METRICS), axis=1)
        test = found[0][0]
        drawn = bootstrap.resample(test.truth, test.scores, k=k, n=resamples, seed=seed)[METRICS["mAP"]]
        low, high = bootstrap.interval(drawn, values["mAP"].iloc[0])
        row: dict[str, Any] = {"model": model, "seeds": len(found)}
        for name in METRICS:
            row[name] = values[name].mean()
            row[f"{name} std"] = values[name].std(ddof=1) if len(found) > 1 else np.nan
        row |= {"mAP low": low, "mAP high": high}
        against = paired[(paired["against"] == model) & (paired["metric"] == "mAP")]
        for name in ("difference", "low", "high"):
            key = "below" if name == "difference" else f"below {name}"
            row[key] = float(against[name].iloc[0]) if len(against) else np.nan
        row |= {"parameters": int(costs["parameters"][model]), "ms per image": costs.loc[model, "ms per image"]}
        table.append(row)
    frame = pd.DataFrame(table)
    return frame, _shown(frame)


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The comparison as it is read."""
    shown = frame[["model", "seeds"]].copy()
    for name in METRICS:
        pairs = zip(frame[name], frame[f"{name} std"], strict=True)
        shown[name] = [f"{mean:.3f}" if np.isnan(std) else f"{mean:.3f} ± {std:.3f}" for mean, std in pairs]
    bounds = zip(frame["mAP low"], frame["mAP high"], strict=True)
    shown.insert(3, "interval", [f"{low:.3f} to {high:.3f}" for low, high in bounds])
    below = zip(frame["below"], frame["below low"], frame["below high"], strict=True)
    shown["first model's mAP is higher by"] = [
        None if np.isnan(value) else f"{value:.3f} ({low:.3f} to {high:.3f})" for value, low, high in below
    ]
    shown["parameters"] = [f"{count:,}" for count in frame["parameters"]]
    shown["ms per image"] = frame["ms per image"]
    return shown


def attention(of_runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean over the runs of what `attention.inside` gives; ratio is that of the means."""
    together = pd.concat(of_runs).groupby(["class", "layer"], sort=False)
    table = together[["pairs", "attention", "area"]].mean().reset_index()
    table["pairs"] = table["pairs"].astype(int)
    table["ratio"] = table["attention"] / table["area"].where(table["area"] > 0)
    table["lowest ratio"] = together["ratio"].min().to_numpy()
    return table
