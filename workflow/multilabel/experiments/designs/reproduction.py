"""The tutorial against ours: a row for each number that it prints and for each thing that it says, with a verdict."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.stats import spearmanr

from multilabel.experiments.designs import networks
from multilabel.experiments.designs.tables import TITLES
from multilabel.report.verdicts import NOT, NOT_RUN, REPRODUCED, Row, not_comparable, number

PUBLISHED = Path(__file__).with_name("published.yaml")
LABELS = 20  # of the tutorial


def published() -> dict[str, Any]:
    """What the tutorial prints."""
    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


def page(
    counts: Mapping[str, int],
    images: int,
    *,
    by_class: pd.DataFrame,
    costs: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
    mean_ap: Mapping[str, float],
    log: pd.DataFrame,
    thresholds: Sequence[float],
    ablation: pd.DataFrame,
    comparable: bool,
) -> list[Row]:
    """The whole page, in the order of the tutorial.

    Args:
        counts: class → images of train and val with it.
        images: how many those are.
        by_class: see `tables.per_class`.
        costs: design → what `measuring.cost` found.
        seconds: design → seconds of training.
        mean_ap: design → mAP on test.
        log: of Model 3.
        thresholds: of the classes, in the order of `counts`, from validation; of Model 3.
        ablation: see `tables.ablation`.
        comparable: whether dataset, networks and training are the tutorial's, so that its measured numbers compare.

    Returns:
        The rows; numbers are not rounded. What is counted from layers, and statements, are judged at any size.
    """
    said = published()
    measured = [
        *_dataset_rows(said, counts, images),
        *_model1_rows(said, by_class),
        *_model3_rows(said, log),
        *_section7_rows(said, by_class, costs, seconds),
    ]
    return [
        *(measured if comparable else [not_comparable(row) for row in measured]),
        *_size_rows(said),
        *_claims(by_class, costs, seconds, mean_ap),
        *_advice(counts, thresholds, ablation),
    ]


def _dataset_rows(said: Mapping[str, Any], counts: Mapping[str, int], images: int) -> Iterator[Row]:
    theirs = said["dataset"]
    for name, value in theirs["classes"].items():
        lacking = f"the dataset has no class {name}"
        yield number(said, "Section 2.3", f"images with {name}", value, counts.get(name), "count", lacking=lacking)
    yield number(said, "Section 2.3", "images", theirs["images"], images, "count")
    yield number(said, "Section 2.3", "positive pairs", theirs["pairs"], sum(counts.values()), "count")
    ratio = max(counts.values()) / max(min(counts.values()), 1)
    yield number(said, "Section 2.3", "most frequent over least frequent class", theirs["ratio"], ratio, "cut")


def _model1_rows(said: Mapping[str, Any], by_class: pd.DataFrame) -> Iterator[Row]:
    ours = by_class[by_class["design"] == "model1"].set_index("class")
    for name, theirs in said["model1"].items():
        found = ours.loc[name] if name in ours.index else None
        lacking = f"the dataset has no class {name}"
        for what, value, key, band in (
            ("test images with it", theirs["ones"], "images", "count"),
            ("predicted ones", theirs["predicted"], "predicted", "count"),
            ("prediction accuracy of ones (%)", theirs["recall"], "recall", "percent"),
        ):
            factor = 100 if key == "recall" else 1
            own = None if found is None else factor * float(found[key])
            yield number(said, "Section 4.4", f"Model 1, {name}: {what}", value, own, band, lacking=lacking)


def _model3_rows(said: Mapping[str, Any], log: pd.DataFrame) -> Iterator[Row]:
    last = log.iloc[-1]
    theirs = said["model3"]
    yield number(said, "Section 6.4", "Model 3: last validation loss", theirs["val_loss"], last["val_loss"], "loss")
    yield number(
        said,
        "Section 6.4",
        "Model 3: last validation accuracy (%)",
        theirs["val_acc"],
        100 * last["val_acc"],
        "percent",
        known="accuracy",
    )


def _section7_rows(
    said: Mapping[str, Any],
    by_class: pd.DataFrame,
    costs: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
) -> Iterator[Row]:
    theirs = said["section7"]
    for design, title in TITLES.items():
        yield in_range(f"{title}: training time (s)", theirs["training"][design], seconds[design])
        accuracy = 100 * by_class.loc[by_class["design"] == design, "accuracy"].mean()
        yield in_range(
            f"{title}: average accuracy (%)",
            theirs["accuracy"][design],
            accuracy,
            said["reproduction"]["known"]["accuracy"],
        )
        yield number(
            said,
            "Section 7.1",
            f"{title}: inference (ms per image)",
            theirs["inference"][design],
            costs[design]["predict_1"],
            "milliseconds",
            relative=True,
        )


def _size_rows(said: Mapping[str, Any]) -> Iterator[Row]:
    """The sizes that follow from the layers that the tutorial prints, for its 20 labels."""
    one, all_labels = (networks.build(outputs, networks.Sizes(), seed=0) for outputs in (1, LABELS))
    shared = sum(layer.count_params() for layer in networks.convolutions(one))
    weights = {
        "model1": LABELS * one.count_params(),
        "model2": LABELS * (one.count_params() - shared) + shared,
        "model3": all_labels.count_params(),
    }
    for design, title in TITLES.items():
        yield number(
            said,
            "Section 7.1",
            f"{title}: size (MB)",
            said["section7"]["size"][design],
            4 * weights[design] / 1e6,
            "size",
            relative=True,
            known="shared" if design == "model2" else "size",
        )


def _claims(
    by_class: pd.DataFrame,
    costs: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
    mean_ap: Mapping[str, float],
) -> Iterator[Row]:
    """What Sections 5.5, 6.6, 7 and 8 say of the designs."""
    accuracy = by_class.groupby("design")["accuracy"].mean()
    factor = costs["model1"]["predict_1"] / costs["model3"]["predict_1"]
    size = costs["model1"]["bytes"] / costs["model3"]["bytes"]
    labels = by_class["class"].nunique()
    told = f"{mean_ap['model3']:.3f} and {mean_ap['model1']:.3f} mAP"
    at_once = [costs["model2"][way] / costs["model2"]["one_call_1"] for way in ("calls_1", "predict_1")]
    for where, what, holds, why in (
        ("Section 5.5", "Model 2 trains faster than Model 1", seconds["model2"] < seconds["model1"],
         f"{seconds['model2']:.0f} and {seconds['model1']:.0f} s"),
        ("Section 6.6", "Model 3 trains fastest", seconds["model3"] < min(seconds["model1"], seconds["model2"]),
         f"{seconds['model3']:.0f} s"),
        ("Section 7.1", "Model 2 is more accurate than Model 1", accuracy["model2"] > accuracy["model1"],
         f"{100 * accuracy['model2']:.1f} and {100 * accuracy['model1']:.1f} % at 0.5; "
         f"{mean_ap['model2']:.3f} and {mean_ap['model1']:.3f} mAP"),
        ("Section 8.1", "Model 3 is about as good as Model 1", mean_ap["model3"] > mean_ap["model1"] - 0.02, told),
        ("Section 8.1", f"Model 3 is about {labels} times as fast, Model 1's networks one after the other",
         labels / 2 < factor < 2 * labels, f"{factor:.1f} times"),
        ("Section 8.1", f"Model 3 is about {labels} times smaller than Model 1", labels / 2 < size < 2 * labels,
         f"{size:.1f} times"),
        ("Section 5.5", "Model 2 needs a pass per label for each image", False,
         "its convolutions run once and its heads are one product: "
         f"{at_once[0]:.1f} times as fast as compiled calls, {at_once[1]:.0f} times as Keras' predict"),
    ):  # fmt: skip
        yield Row(where, what, "yes", "yes" if holds else "no", None, REPRODUCED if holds else NOT, why)


def _advice(counts: Mapping[str, int], thresholds: Sequence[float], ablation: pd.DataFrame) -> Iterator[Row]:
    """What Section 8 advises for rare classes, on Model 3."""
    finite = np.isfinite(thresholds)
    images, limits = np.array(list(counts.values()))[finite], np.asarray(thresholds)[finite]
    found = spearmanr(images, limits)
    higher = bool(found.statistic < 0 and found.pvalue < 0.05)
    yield Row(
        "Section 8.5",
        "rare classes need higher thresholds than frequent ones",
        "yes",
        "yes" if higher else "no",
        None,
        REPRODUCED if higher else NOT,
        "rank correlation of a class's images and its threshold from validation: "
        f"{found.statistic:+.2f} (p = {found.pvalue:.2f})",
    )
    for loss, title in (
        ("class_weights", "class weights help"),
        ("balanced_sampling", "balanced sampling helps"),
        ("focal", "focal loss helps"),
    ):
        chosen = ablation[(ablation["loss"] == loss) & (ablation["classes"] == "rare") & (ablation["metric"] == "mAP")]
        if chosen.empty:
            yield Row("Section 8.3", f"{title} rare classes", "yes", None, None, NOT_RUN, "not among designs.variants")
            continue
        row = chosen.iloc[0]
        holds = row["difference low"] > 0
        edges = f"[{row['difference low']:+.3f}, {row['difference high']:+.3f}]"
        why = f"mAP of rare classes {row['difference']:+.3f}, 95 % {edges}"
        yield Row("Section 8.3", f"{title} rare classes", "yes", "yes" if holds else "no", None,
                  REPRODUCED if holds else NOT, why)  # fmt: skip


def in_range(what: str, limits: tuple[float, float], ours: float, known: str = "") -> Row:
    """A row for a number that the tutorial prints as a range."""
    low, high = limits
    inside = low <= ours <= high
    difference = None if inside else ours - (high if ours > high else low)
    why = "within the range" if inside else known or "outside of the range"
    return Row("Section 7.1", what, f"{low:,}–{high:,}", round(ours, 1), difference, REPRODUCED if inside else NOT, why)
