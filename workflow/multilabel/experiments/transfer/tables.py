"""Tables 1 to 3 of Maddox (2017) with ours beside them, and a network of single labels beside ours."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel.evaluation import decisions, metrics, predictions
from multilabel.experiments.transfer import published

METRICS = ["MP", "MR", "MF1", "µP", "µR", "µF1"]


def published_table2() -> pd.DataFrame:
    """Table 2 of Maddox (2017) as printed: group, method, source, dataset and six metrics in percent."""
    content = published.load()
    table = content["table2"]
    groups = {
        "Published": table["previous"],
        f"{_short(content, table['printed_in'])}: {table['run']}": table["final_model"],
    }
    rows = [
        [group, row["method"], _short(content, row["source"]), row["dataset"], *map(float, row["values"])]
        for group, members in groups.items()
        for row in members
    ]
    return pd.DataFrame(rows, columns=["group", "method", "source", "dataset", *METRICS])


def table1(top_models: Iterable[Any], finetuned: Iterable[Any] = ()) -> pd.DataFrame:
    """The hyper-parameters of both stages and the values that the runs really have.

    Args:
        top_models: runs with `preprocess`, `pooling`, `layers`, `nodes`, `regulariser`, `learning_rate`, `batch_size`.
        finetuned: runs with `frozen`, `learning_rate`, `batch_size`, `augmentation`; without any, stage 2 has no rows.

    Returns:
        Columns Stage, Hyper-parameter, Variants: all text.
    """
    top_models, finetuned = list(top_models), list(finetuned)
    rows = [
        ("1 and 2" if finetuned else "1", "Image preprocessing", _variants(top_models, "preprocess")),
        ("1", "Classifier design", _variants(top_models, "pooling")),
        ("1", "Number of hidden FC layers", _variants(top_models, "layers")),
        ("1", "Number of nodes per layer", _variants(top_models, "nodes")),
        ("1", "Regularisation", _variants(top_models, "regulariser")),
        ("1", "Learning rate", _variants(top_models, "learning_rate")),
        ("1", "Batch size", _variants(top_models, "batch_size")),
    ]
    if finetuned:
        rows += [
            ("2", "Number of frozen layers", _variants(finetuned, "frozen")),
            ("2", "Learning rate", _variants(finetuned, "learning_rate")),
            ("2", "Batch size", _variants(finetuned, "batch_size")),
            ("2", "Data augmentation", _variants(finetuned, "augmentation")),
        ]
    return pd.DataFrame(rows, columns=["Stage", "Hyper-parameter", "Variants"])


def table2(
    truth: ArrayLike,
    scores: ArrayLike,
    augmented_scores: ArrayLike | None,
    *,
    k: int = 3,
    tau: float,
    dataset: str,
    run: str,
    n_random: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 2 of Maddox (2017): its printed rows, then ours for one model. Images without labels are left out.

    Our rows: the best possible with k labels per image (perfect scores; the labels beyond the true ones are drawn at
    random, mean of `n_random` draws); a. the k highest scores; b. the same for images with exactly k labels; c. as many
    labels as the image truly has; d. the same on augmented images; e. scores of at least `tau` (Eq. 10).

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        augmented_scores: N×L, of the same images under random perturbations; None leaves row d out.
        k: labels per image of the rows "best possible", a and b.
        tau: the threshold of row e.
        dataset: what the column `dataset` says of our rows.
        run: the model's name, for the heading of our rows.
        n_random: random draws behind the row "best possible".
        seed: of those draws.

    Returns:
        Columns group, method, source, dataset, then MP, MR, MF1, µP, µR, µF1 in percent (NaN where there is no image).

    Raises:
        ValueError: the arrays differ in shape, or no image has a label.
    """
    truth, scores = np.asarray(truth), np.asarray(scores)
    augmented = None if augmented_scores is None else np.asarray(augmented_scores)
    for name, array in (("scores", scores), ("augmented scores", augmented)):
        if array is not None and array.shape != truth.shape:
            raise ValueError(f"Table 2: expected {name} of the truth's shape {truth.shape}, found {array.shape}")
    cardinality = truth.sum(axis=1)
    labelled, exactly_k = cardinality > 0, cardinality == k
    n = int(labelled.sum())
    if not n:
        raise ValueError(f"Table 2: expected images with labels, found none among {len(truth)}")

    rng = np.random.default_rng(seed)
    y, h = truth[labelled], scores[labelled]
    draws = [_percent(y, decisions.top_k(y.astype(np.float32), k, rng)) for _ in range(n_random)]
    rows = {
        "best possible": np.mean(draws, axis=0),
        f"a. {n} (k > 0)": _percent(y, decisions.top_k(h, k)),
        f"b. {exactly_k.sum()} (k = {k})": _percent(truth[exactly_k], decisions.top_k(scores[exactly_k], k)),
        f"c. {n} (k = L/I)": _percent(y, decisions.top_k_per_image(h, y)),
    }
    if augmented is not None:
        rows[f"d. {n}-a (k = L/I)"] = _percent(y, decisions.top_k_per_image(augmented[labelled], y))
    rows[f"e. {n} (τ = {tau:.3f})"] = _percent(y, decisions.threshold(h, tau))

    ours = pd.DataFrame(list(rows.values()), columns=METRICS)
    for position, (name, values) in enumerate(
        {"group": f"This project: {run}", "method": list(rows), "source": "", "dataset": dataset}.items()
    ):
        ours.insert(position, name, values)
    return pd.concat([published_table2(), ours], ignore_index=True)


def table2_of_run(results: str | Path, run: str, *, test: str, **options: Any) -> tuple[pd.DataFrame, float]:
    """Table 2 of a run, and its threshold, which comes from the validation images.

    Args:
        results: the folder of a dataset's results.
        run: the run's name.
        test: the split that is reported.
        options: k, dataset, n_random and seed of `table2`.
    """
    found, validation = predictions.of_run(results, run, test), predictions.of_run(results, run, "val")
    augmented = predictions.of_run(results, run, test, augmented=True)
    tau = decisions.cardinality_threshold(validation.scores, validation.truth)
    return table2(found.truth, found.scores, augmented.scores, tau=tau, run=run, **options), tau


def table2_caption(dataset: str, test: str, *, k: int, model_from: str, tau_from: str) -> str:
    """The caption of Table 2, which says on which splits the model and the threshold were chosen.

    Args:
        dataset: as in the table's column.
        test: the split that our rows report.
        k: labels per image of row a.
        model_from: the split whose metrics chose the final model.
        tau_from: the split whose label cardinality gave the threshold.
    """
    chosen = (
        f"The {model_from} split chose the final model and the threshold τ"
        if model_from == tau_from
        else f"The {model_from} split chose the final model, the {tau_from} split the threshold τ"
    )
    splits = f"{chosen}; our rows report the labelled images of the {test} split of {dataset}."
    if test in (model_from, tau_from):
        splits += " Choosing and reporting on one split, as the paper does, flatters the result."
    return (
        f"Comparison for k = {k}, in percent. MP, MR and MF1 are precision, recall and F1 of each label, averaged over "
        "the labels; µP, µR and µF1 count all pairs of image and label. Published rows are as printed and stand on the "
        f"dataset that they name. Rows: a. the {k} highest scores of each image; b. the same for images with exactly "
        f"{k} labels; c. as many labels as the image truly has; d. the same on augmented images; e. scores of at least "
        f"τ; best possible: perfect scores cut at {k} labels. {splits}"
    )


def single_label_table(rows: Iterable[tuple[str, str, Mapping[str, float]]]) -> pd.DataFrame:
    """How well models name the objects of an image, as shares of 1: the question of section 2.1 of paper 000.

    Args:
        rows: what the model was trained on, its name, and its metrics as `evaluation.evaluate` names them.

    Returns:
        Columns trained on, model, mAP, then micro precision, recall and F1 of the k highest scores, and the micro F1 of
        as many labels as each image has.
    """
    columns = {
        "mAP": "mean_average_precision",
        "µP top-k": "top_k_micro_precision",
        "µR top-k": "top_k_micro_recall",
        "µF1 top-k": "top_k_micro_f1",
        "µF1 top-k per image": "top_k_per_image_micro_f1",
    }
    table = [(kind, model, *(float(values[name]) for name in columns.values())) for kind, model, values in rows]
    return pd.DataFrame(table, columns=["trained on", "model", *columns])


def _percent(truth: NDArray[Any], predicted: ArrayLike) -> list[float]:
    """The six metrics of Table 2 in percent; NaN without images."""
    if not len(truth):
        return [float("nan")] * len(METRICS)
    return [
        100 * float(value)
        for average in ("macro", "micro")
        for value in metrics.precision_recall_f1(truth, predicted, average=average)
    ]


def _short(content: Mapping[str, Any], source: str) -> str:
    return content["sources"][source]["short"]


def _variants(runs: Iterable[Any], attribute: str) -> str:
    """The values of an attribute, each once: learning rates from the highest down, others up; "none" for no text."""
    values = {getattr(run, attribute) for run in runs}
    ordered = sorted(values, reverse=attribute == "learning_rate")
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) or "none" for value in ordered)
