"""Query2Label beside what else the same base can do: how good it is, and what it costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multilabel.evaluation import bootstrap, predictions
from multilabel.evaluation.predictions import Predictions
from multilabel.files import read_json
from multilabel.report.tables import write_table

METRICS = {
    "mAP": "mean_average_precision",
    "mAP (VOC)": "voc_mean_average_precision",
    "MF1 top-k": "top_k_macro_f1",
    "µF1 top-k": "top_k_micro_f1",
    "MF1 τ": "cardinality_threshold_macro_f1",
    "µF1 τ": "cardinality_threshold_micro_f1",
}
"""Heading → name in the metrics files."""


def write(
    results: str | Path,
    runs: Mapping[str, Sequence[str]],
    label_files: Mapping[str, str],
    cost: str | Path,
    path_stem: str | Path,
    *,
    titles: Mapping[str, str],
    test: str,
    evaluation: Mapping[str, Any],
    unlabelled: bool,
    dataset: str,
) -> None:
    """Write the comparison of all that is trained on one base.

    Args:
        results: the experiment's folder.
        runs: kind → its runs, one per seed; the first kind is compared with the others.
        label_files: split → its labels.
        cost: what `cost.measured` gave, of one run per kind.
        path_stem: of the table.
        titles: kind → what it is called.
        test: the split on which metrics are computed.
        evaluation: k, resamples and seed.
        unlabelled: whether images without labels count.
        dataset: its name.
    """

    def scored(run: str, split: str) -> predictions.Predictions:
        path = predictions.path_of(results, run, split)
        return predictions.load_with_truth(path, label_files[split], unlabelled=unlabelled)

    found = {
        titles[kind]: [(scored(run, test), scored(run, "val")) for run in of_kind] for kind, of_kind in runs.items()
    }
    metrics = {
        titles[kind]: [read_json(Path(results, "metrics", f"{run}.json")) for run in of_kind]
        for kind, of_kind in runs.items()
    }
    costs = pd.read_csv(cost)
    costs.insert(0, "model", [titles[run.rpartition("_s")[0]] for run in costs["run"]])
    frame, shown = comparison(found, metrics, costs, **evaluation)
    write_table(
        frame,
        path_stem,
        f"Query2Label and what else was trained on the same base, as long and on the same images: {dataset}, "
        f"{'all' if unlabelled else 'labelled'} test images; means ± deviation over seeds, 95 % intervals of the first "
        "seed.",
        shown=shown,
        digits={"ms per image": 2},
    )


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
