"""The tables of the three designs, of what is advised for rare classes, and of the forum's question."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from multilabel.evaluation import all_metrics, bootstrap, metrics
from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.designs import names

TITLES = {"model1": "Model 1", "model2": "Model 2", "model3": "Model 3"}
PER_CLASS = "cardinality_threshold_per_class"
FIXED = "fixed_threshold"
FREQUENCIES = "label frequencies"


class Evaluated(NamedTuple):
    """What a run predicts for test images, and for validation images, on which thresholds are chosen."""

    test: Predictions
    validation: Predictions

    @property
    def chosen_on(self) -> tuple[np.ndarray, np.ndarray]:
        """Truth and scores of the validation images."""
        return self.validation.truth, self.validation.scores

    def metrics(self) -> dict[str, float]:
        """Every metric on test, with thresholds from validation."""
        return all_metrics.evaluate(self.test.truth, self.test.scores, k=1, validation=self.chosen_on)


def per_class(found: Mapping[str, Evaluated], classes: Sequence[str]) -> pd.DataFrame:
    """A row per class and design: images with it, those for which it is predicted at 0.5, accuracy, recall, AP.

    Recall is what the tutorial calls prediction accuracy of ones.
    """
    rows = []
    for design, evaluated in found.items():
        truth, scores = np.ma.asarray(evaluated.test.truth), evaluated.test.scores
        predicted = np.ma.masked_array(scores >= 0.5, np.ma.getmaskarray(truth))
        precision = metrics.average_precision_per_class(truth, scores)
        for column, name in enumerate(classes):
            y, z = truth[:, column].compressed().astype(bool), predicted[:, column].compressed()
            rows.append(
                {
                    "class": name,
                    "design": design,
                    "images": int(y.sum()),
                    "predicted": int(z.sum()),
                    "accuracy": float((y == z).mean()),
                    "recall": float(z[y].mean()) if y.any() else 0.0,
                    "average precision": float(precision[column]),
                }
            )
    return pd.DataFrame(rows)


def comparison(
    found: Mapping[str, Evaluated],
    classes: Sequence[str],
    costs: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
) -> pd.DataFrame:
    """Section 7's table, measured: a row per quantity, a column per design.

    Args:
        found: design → its predictions.
        classes: L names.
        costs: design → what `measuring.cost` found.
        seconds: design → seconds of training, of all its networks one after the other.
    """
    by_class = per_class(found, classes)
    columns = {}
    for design, evaluated in found.items():
        values, own, cost = evaluated.metrics(), by_class[by_class["design"] == design], costs[design]
        columns[TITLES[design]] = {
            "Networks": cost["networks"],
            "Training time (s)": seconds[design],
            "Accuracy at 0.5, mean": own["accuracy"].mean(),
            "Accuracy at 0.5, lowest class": own["accuracy"].min(),
            "Accuracy at 0.5, highest class": own["accuracy"].max(),
            "Accuracy of ones (recall), mean": own["recall"].mean(),
            "mAP": values["mean_average_precision"],
            "Macro F1 at 0.5": values[f"{FIXED}_macro_f1"],
            "Macro F1, thresholds from validation": values[f"{PER_CLASS}_macro_f1"],
            "Inference (ms per image): predict, one network after the other": cost["predict_1"],
            "Inference: one compiled call per network": cost["calls_1"],
            "Inference: all networks in one call": cost["one_call_1"],
            "Inference in batches of 32: one call per network": cost["calls_32"],
            "Inference in batches of 32: in one call": cost["one_call_32"],
            "Weights": cost["parameters"],
            "Size on disk (MB)": cost["bytes"] / 1e6,
            "Memory for inference (MB)": cost["memory"] / 1e6,
        }
    return pd.DataFrame(columns).rename_axis("quantity")


def frequencies(counts: np.ndarray, images: int, like: Predictions) -> Predictions:
    """What one knows without looking: each image scores how frequent a class is among training images."""
    return like._replace(scores=np.tile((counts / images).astype(np.float32), (len(like.scores), 1)))


def rare_classes(counts: np.ndarray) -> np.ndarray:
    """Which classes are rare: those with fewer training images than the median class, booleans L."""
    return counts < np.median(counts)


def ablation(
    found: Mapping[str, Evaluated], rare: np.ndarray, *, against: str, n: int, seed: int, level: float = 0.95
) -> pd.DataFrame:
    """What each loss is worth on Model 3, for all classes, the rare and the frequent ones.

    Args:
        found: loss → its predictions.
        rare: booleans L, see `rare_classes`.
        against: the loss that others are compared with.
        n: bootstrap resamples, the same images for all losses.
        seed: of the draws.
        level: of the intervals.

    Returns:
        A row per loss, group of classes and metric (mAP; macro F1 at 0.5; macro F1 with thresholds from validation):
        loss, classes, metric, value, low, high, difference, difference low, difference high; the last three are empty
        for `against` itself.
    """
    groups = {"all": np.ones(len(rare), bool), "rare": rare, "frequent": ~rare}
    names = {
        "mAP": "mean_average_precision",
        "macro F1 at 0.5": f"{FIXED}_macro_f1",
        "macro F1": f"{PER_CLASS}_macro_f1",
    }
    rows = []
    for group, columns in groups.items():
        if not columns.any():
            continue
        values, resampled = {}, {}
        for loss in [against, *(name for name in found if name != against)]:
            test, validation = (part._replace(truth=part.truth[:, columns], scores=part.scores[:, columns])
                                for part in found[loss])  # fmt: skip
            chosen_on = (validation.truth, validation.scores)
            values[loss] = all_metrics.evaluate(test.truth, test.scores, k=1, validation=chosen_on)
            resampled[loss] = bootstrap.resample(test.truth, test.scores, k=1, validation=chosen_on, n=n, seed=seed)
        for loss in found:
            for title, name in names.items():
                low, high = bootstrap.interval(resampled[loss][name], values[loss][name], level)
                row = {
                    "loss": loss,
                    "classes": group,
                    "metric": title,
                    "value": values[loss][name],
                    "low": low,
                    "high": high,
                }
                if loss != against:
                    difference = values[loss][name] - values[against][name]
                    paired = resampled[loss][name] - resampled[against][name]
                    edges = bootstrap.interval(paired, difference, level)
                    row |= dict(
                        zip(("difference", "difference low", "difference high"), (difference, *edges), strict=True)
                    )
                rows.append(row)
    return pd.DataFrame(rows)


def ablation_as_read(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The ablation with a row per loss: for each group mAP, its interval, and the difference where it is one.

    A difference whose interval does not hold 0 is marked: * above, and † below.
    """

    def text(row: Mapping[Any, Any]) -> str:
        shown = f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        if pd.isna(row["difference"]):
            return shown
        mark = "*" if row["difference low"] > 0 else "†" if row["difference high"] < 0 else ""
        return f"{shown} {row['difference']:+.3f}{mark}"

    texts = table.assign(
        text=[text(row) for row in table.to_dict("records")],
        column=table["metric"]
        + ", "
        + table["classes"].map({"all": "all classes", "rare": "rare", "frequent": "frequent"}),
    )
    shown = texts.pivot_table(index="loss", columns="column", values="text", aggfunc="first", sort=False)
    wanted = [name for name in texts["column"].drop_duplicates() if not name.startswith("macro F1 at 0.5, f")]
    return shown[wanted].rename(index=titles).rename_axis("loss").rename_axis(columns=None)


def outputs(groups: Iterable[tuple[str, str, Sequence[Evaluated]]]) -> pd.DataFrame:
    """The forum's question: a row per network and output, mean and sample standard deviation over seeds.

    Args:
        groups: network, output and its predictions, one of each seed.
    """
    columns = {
        "mAP": lambda values, _: values["mean_average_precision"],
        "image AP": lambda values, _: values["image_average_precision"],
        "macro F1 at 0.5": lambda values, _: values[f"{FIXED}_macro_f1"],
        "macro F1": lambda values, _: values[f"{PER_CLASS}_macro_f1"],
        "labels predicted at 0.5": lambda _, test: float((test.scores >= 0.5).sum(axis=1).mean()),
        "sum of scores": lambda _, test: float(test.scores.sum(axis=1).mean()),
    }
    rows = []
    for network, output, seeds in groups:
        row: dict[str, Any] = {"network": network, "output": output, "seeds": len(seeds)}
        measured = [(evaluated.metrics(), evaluated.test) for evaluated in seeds]
        for title, quantity in columns.items():
            values = [quantity(*one) for one in measured]
            row |= {title: np.mean(values), f"{title} std": np.std(values, ddof=1) if len(values) > 1 else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def outputs_as_read(table: pd.DataFrame) -> pd.DataFrame:
    """The same with means and deviations in one cell, and what outputs are called."""
    titles = {name: loss.title for name, loss in names.LOSSES.items()} | {names.PER_LABEL: "one network per label"}
    shown = table[["network", "output"]].assign(output=table["output"].map(titles))
    for title in (name for name in table.columns[3:] if not name.endswith(" std")):
        pairs = zip(table[title], table[f"{title} std"], strict=True)
        shown[title] = [f"{mean:.3f}" if pd.isna(std) else f"{mean:.3f} ± {std:.3f}" for mean, std in pairs]
    return shown
