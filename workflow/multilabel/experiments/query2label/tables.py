"""Table I of paper 001 with ours beside it; where labels looked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from multilabel.report import verdicts

PUBLISHED = Path(__file__).with_name("published.yaml")
METRICS = {"mAP": "mean_average_precision", "mAP (VOC)": "voc_mean_average_precision"}
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


def attention(of_runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean over the runs of what `attention.inside` gives; ratio is that of the means."""
    together = pd.concat(of_runs).groupby(["class", "layer"], sort=False)
    table = together[["pairs", "attention", "area"]].mean().reset_index()
    table["pairs"] = table["pairs"].astype(int)
    table["ratio"] = table["attention"] / table["area"].where(table["area"] > 0)
    table["lowest ratio"] = together["ratio"].min().to_numpy()
    return table
