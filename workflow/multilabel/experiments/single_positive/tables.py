"""Table II of paper 001 with ours beside it, all losses in all modes, and what is known of hidden labels."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from multilabel.experiments.single_positive.runs import LOSSES, MODES
from multilabel.report import verdicts

PUBLISHED = Path(__file__).with_name("published.yaml")
INTERVAL = 0.95


def published() -> dict[str, Any]:
    """The numbers of paper 001, with the limits of the verdicts."""
    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


def over_seeds(results: pd.DataFrame) -> pd.DataFrame:
    """Mean of each metric over the seeds of each study, and half the width of its interval.

    Args:
        results: one row per study and seed: mode, loss, observed, seed, and metrics in percent.

    Returns:
        One row per study: mode, loss, observed, seeds, and for each metric `metric` and `metric ±`, the half width of
        Student's 95 % interval of the mean; missing with one seed.
    """
    keys = ["mode", "loss", "observed"]
    names = [name for name in results if name not in (*keys, "seed", "images")]
    rows = []
    for _, part in results.groupby(keys, sort=False):
        row: dict[Any, Any] = {**part[keys].iloc[0], "seeds": len(part)}
        for name in names:
            row[name], row[f"{name} ±"] = part[name].mean(), _half_width(part[name].to_numpy(float))
        rows.append(row)
    return pd.DataFrame(rows)


def table2(means: pd.DataFrame, observed: str, departures: Sequence[str]) -> list[verdicts.Row]:
    """Table II of paper 001, each printed number against ours.

    Args:
        means: what `over_seeds` gives.
        observed: the number of observed labels that the tables show.
        departures: in words, where the configuration is not the paper's; then numbers do not compare.
    """
    said = published()
    rows = []
    for entry in said["table2"]["rows"]:
        ours = _value(means, entry["mode"], entry["loss"], observed)
        what = f"{LOSSES[entry['loss']]}, {MODES[entry['mode']]}: mAP"
        for column, name in (("Ours", "printed"), ("Paper", "paper")):
            rows.append(
                verdicts.number(
                    said, f"{said['table2']['where']}, {column}", what, entry[name], ours, "mAP", lacking="not trained"
                )
            )
    return [verdicts.not_comparable(row) for row in rows] if departures else rows


def losses_by_mode(means: pd.DataFrame, observed: str, metric: str = "mAP") -> pd.DataFrame:
    """All losses × modes, as it is read: mean ± half width of the interval, a dash where a loss was not trained."""
    part = means[means["observed"] == observed]
    rows = []
    for loss in [loss for loss in LOSSES if loss in set(part["loss"])]:
        row: dict[str, Any] = {"loss": LOSSES[loss]}
        for mode in [mode for mode in MODES if mode in set(part["mode"])]:
            found = part[(part["mode"] == mode) & (part["loss"] == loss)]
            row[MODES[mode]] = _text(found.iloc[0], metric) if len(found) else None
        rows.append(row)
    return pd.DataFrame(rows)


def best_of_each(shown: pd.DataFrame, supervised: Iterable[str] = ("BCE", "BCE-LS", "IUN")) -> Any:
    """Which cells of `losses_by_mode` are bold: the best of each column among losses that see no hidden label."""
    values = shown.drop(columns="loss").map(lambda text: float(text.split(" ")[0]) if isinstance(text, str) else np.nan)
    values[shown["loss"].isin(list(supervised)).to_numpy()] = np.nan
    marks = pd.DataFrame(False, shown.index, shown.columns)
    marks[values.columns] = values.eq(values.max())
    return marks.to_numpy(bool)


def by_observed(means: pd.DataFrame) -> pd.DataFrame:
    """Test mAP of the linear classifiers by the number of observed labels: losses × numbers."""
    part = means[means["mode"] == "linear"]
    numbers = list(dict.fromkeys(part["observed"]))
    several = [loss for loss in LOSSES if set(part.loc[part["loss"] == loss, "observed"]) == set(numbers)]
    rows = []
    for loss in several:
        found = part[part["loss"] == loss].set_index("observed")
        rows.append(
            {"loss": LOSSES[loss]} | {f"{number} observed": _text(found.loc[number], "mAP") for number in numbers}
        )
    return pd.DataFrame(rows)


def _value(means: pd.DataFrame, mode: str, loss: str, observed: str) -> float | None:
    found = means[(means["mode"] == mode) & (means["loss"] == loss) & (means["observed"] == observed)]
    return float(found["mAP"].iloc[0]) if len(found) else None


def _half_width(values: Any) -> float:
    """Half of Student's interval of the mean; missing for one value."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf((1 + INTERVAL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def _text(row: pd.Series, metric: str) -> str:
    width = row[f"{metric} ±"]
    return f"{row[metric]:.1f}" if np.isnan(width) else f"{row[metric]:.1f} ± {width:.1f}"
