"""The author's own training logs: the reference curves of paper 000, and how ours compare with them.

The logs are those of https://github.com/WillieMaddox/MLND (commit 2276f28), under the MIT licence beside them in
maddox2017.LICENSE: 44 top models, all on `zmuvs` images and averaged features, and one fine-tuned model. Names are in
this project's spelling; losses and accuracies are rounded to 8 decimals.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from multilabel.experiments.transfer import published, runs
from multilabel.report.tables import run_table

LOGS = Path(__file__).with_name("maddox2017.csv")
DATASET = "coco_2017"
NAME = "Maddox 2017"  # in legends


def load(path: str | Path = LOGS) -> dict[str, pd.DataFrame]:
    """The author's log of each run, by full run name, as our own logs are.

    Columns epoch (from 0), loss, acc, val_loss, val_acc and seconds. The seconds are his mean per epoch, the same in
    all rows; NaN for the runs whose mean is not known.

    >>> load()["coco_2017_zmuvs_avg_2x4096d5_lr11_b128"]["val_loss"].iloc[-1].round(4)
    np.float64(0.067)
    """
    seconds = published.load()["seconds_per_epoch"]
    logs = {}
    for name, log in pd.read_csv(path).groupby("run", sort=False):
        run = runs.parse(str(name), DATASET)
        taken = np.nan
        if isinstance(run, runs.TopModelRun):
            taken = seconds[f"{run.layers}x{run.nodes}"].get(run.batch_size, np.nan)
        logs[run.name] = log.drop(columns="run").reset_index(drop=True).assign(seconds=float(taken))
    return logs


def best_epochs(ours: Mapping[str, pd.DataFrame], theirs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Each run's best validation loss and epoch, ours and the author's; runs that only one of the two has come last.

    Args:
        ours: run name → its log with the columns epoch, val_loss and val_acc.
        theirs: the same of the author's runs.

    Returns:
        Columns run, then val_loss, best_epoch and epochs of each (suffix `_ours`, `_theirs`), and `difference`, our
        loss minus theirs; sorted by the author's loss, then ours. Whole numbers are nullable integers.
    """
    columns = ["run", "val_loss", "best_epoch", "epochs"]
    parts = [run_table(logs)[columns].convert_dtypes() for logs in (ours, theirs)]
    table = parts[0].merge(parts[1], on="run", how="outer", suffixes=("_ours", "_theirs"))
    table["difference"] = table["val_loss_ours"] - table["val_loss_theirs"]
    only_one = table["difference"].isna()
    order = table.assign(only_one=only_one).sort_values(["only_one", "val_loss_theirs", "val_loss_ours", "run"])
    return order.drop(columns="only_one").reset_index(drop=True)
