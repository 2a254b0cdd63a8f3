"""The metrics of what `learning_curve` has trained; apart from it, so that another metric trains nothing again."""

from pathlib import Path

import h5py
import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, predictions


def table(score_file: str | Path, *, val: str | Path, test: str | Path, k: int) -> pd.DataFrame:
    """Metrics against the number of training images.

    Args:
        score_file: what `learning_curve.train` has written.
        val: labels of the images that give the thresholds.
        test: labels of the images that are judged.
        k: labels per image of the top-k decision.

    Returns:
        One row per kind and size: labels (all labels, one label), images, pairs (image and label), validation loss,
        mAP, and micro F1 after top-k and after the top k of each image.
    """
    rows, labels = [], {"val": (val, LabelMatrix.load(val)), "test": (test, LabelMatrix.load(test))}
    with h5py.File(score_file, "r", locking=False) as file:
        for part in file.values():
            judged = {
                split: predictions.with_truth(
                    part[split]["image_id"][()],
                    part[split]["scores"][()],
                    matrix,
                    name=str(path),
                    other=f"{score_file}: {part.name}",
                )
                for split, (path, matrix) in labels.items()
            }
            chosen_on = (judged["val"].truth, judged["val"].scores)
            found = all_metrics.evaluate(judged["test"].truth, judged["test"].scores, k=k, validation=chosen_on)
            rows.append(
                {
                    "labels": part.attrs["labels"],
                    "images": int(part.attrs["images"]),
                    "pairs": int(part.attrs["pairs"]),
                    "validation loss": float(part.attrs["validation_loss"]),
                    "mAP": found["mean_average_precision"],
                    "µF1 top-k": found["top_k_micro_f1"],
                    "µF1 top-k per image": found["top_k_per_image_micro_f1"],
                }
            )
    return pd.DataFrame(rows).sort_values(["labels", "images"], kind="stable", ignore_index=True)
