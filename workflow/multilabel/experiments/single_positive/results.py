"""What all studies come to on the test images, and what was searched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.single_positive import metrics
from multilabel.experiments.single_positive.runs import Study


def metrics_of(
    labels: str | Path,
    searches: Mapping[Study, Mapping[str, Any]],
    scores: Mapping[Study, Mapping[int, str | Path]],
    *,
    ks: Sequence[int],
    drop_last: bool,
) -> pd.DataFrame:
    """One row per study and seed: mode, loss, observed, seed, images (that were scored), and metrics in percent.

    Args:
        labels: label file of the test images, in the published order.
        searches: what was searched of each study.
        scores: study → seed → the scores of its chosen settings.
        ks: of precision and recall at k.
        drop_last: leave out the images of the last batch where it is short, as published.
    """
    matrix = LabelMatrix.load(labels)
    rows = []
    for study, of_seeds in scores.items():
        batch_size = searches[study]["chosen"]["batch_size"]
        for seed, path in of_seeds.items():
            image_id, found = predictions.load(path)
            truth = matrix.labels[matrix.rows_of(image_id, name=str(labels), other=str(path))]
            images = metrics.scored(len(truth), batch_size) if drop_last else len(truth)
            row = {"mode": study.mode, "loss": study.loss, "observed": study.observed, "seed": seed, "images": images}
            rows.append(row | metrics.all_of(truth[:images], found[:images], ks))
    return pd.DataFrame(rows)


def searched(searches: Mapping[Study, Mapping[str, Any]]) -> pd.DataFrame:
    """All runs of all searches: study, settings, the best epoch from 0, its validation mAP, and which was chosen."""
    return pd.DataFrame(
        [
            {
                "mode": study.mode,
                "loss": study.loss,
                "observed": study.observed,
                **row,
                "chosen": row["run"] == found["chosen"]["run"],
            }
            for study, found in searches.items()
            for row in found["searched"]
        ]
    )


def flat(table: pd.DataFrame) -> dict[str, float]:
    """The test mAP of each study, mean over its seeds, by its name."""
    names = [Study(*row).name for row in table[["mode", "loss", "observed"]].itertuples(index=False)]
    return {f"{name}_mAP": float(value) for name, value in table["mAP"].groupby(names, sort=False).mean().items()}
