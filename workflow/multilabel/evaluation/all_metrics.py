"""All numbers of one run on one split: every metric, after every label decision."""

from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays
from multilabel.evaluation import decisions, metrics
from multilabel.evaluation.predictions import Predictions


def evaluate(
    truth: ArrayLike, scores: ArrayLike, *, k: int = 3, validation: tuple[ArrayLike, ArrayLike] | None = None
) -> dict[str, float]:
    """Every metric of `multilabel.metrics` under a flat name.

    Metrics of ranking have the name of their function. The others are named by decision, then metric:
    `top_k_macro_f1`, `cardinality_threshold_hamming_loss`. The decisions are `top_k`, `top_k_per_image`,
    `cardinality_threshold`, `cardinality_threshold_per_class` and `fixed_threshold` (0.5). The third's threshold is
    `cardinality_threshold_tau`.

    Args:
        truth: N×L, 0 or 1; what is masked counts neither way.
        scores: N×L.
        k: labels per image of the decision `top_k`.
        validation: truth and scores, M×L, on which the thresholds are chosen; None chooses them on the arrays that are
            evaluated, as the paper does, which flatters the decisions by threshold.

    Raises:
        ValueError: there are no images, or what `multilabel.decisions` and `multilabel.metrics` raise.
    """
    y, h = arrays.masked_alike(truth, scores)
    if not len(y):
        raise ValueError("evaluation: expected at least one image, found none")
    tau, per_class = _thresholds(y, h, validation)
    result = {
        "label_cardinality": metrics.label_cardinality(y),
        "mean_average_precision": metrics.mean_average_precision(y, h),
        "image_average_precision": metrics.image_average_precision(y, h),
        "voc_mean_average_precision": metrics.voc_mean_average_precision(y, h),
        "voc_mean_average_precision_eleven_points": metrics.voc_mean_average_precision(y, h, eleven_points=True),
        "coverage": metrics.coverage(y, h),
        "one_error": metrics.one_error(y, h),
        "ranking_loss": metrics.ranking_loss(y, h),
        "cardinality_threshold_tau": tau,
    }
    for decision, predicted in _decided(y, h, k, tau, per_class).items():
        for average in get_args(metrics.Average):
            shares = metrics.precision_recall_f1(y, predicted, average=average)
            result |= {f"{decision}_{average}_{name}": value for name, value in shares._asdict().items()}
        result[f"{decision}_jaccard"] = metrics.jaccard(y, predicted)
        result[f"{decision}_subset_zero_one_loss"] = metrics.subset_zero_one_loss(y, predicted)
        result[f"{decision}_hamming_loss"] = metrics.hamming_loss(y, predicted)
    return result


def of_run(test: Predictions, validation: Predictions, *, k: int) -> dict[str, float]:
    """Every metric of a run under a flat name, on test; those on validation, prefixed `validation_`.

    Thresholds come from validation in both.
    """
    chosen_on = (validation.truth, validation.scores)
    on_test = evaluate(test.truth, test.scores, k=k, validation=chosen_on)
    on_validation = evaluate(*chosen_on, k=k)
    return on_test | {f"validation_{name}": value for name, value in on_validation.items()}


def decided(
    truth: ArrayLike, scores: ArrayLike, *, k: int = 3, validation: tuple[ArrayLike, ArrayLike] | None = None
) -> dict[str, NDArray[np.uint8]]:
    """The predicted labels, N×L, after each decision of `evaluate`, by its name; arguments as there."""
    y, h = arrays.masked_alike(truth, scores)
    return _decided(y, h, k, *_thresholds(y, h, validation))


def _thresholds(
    y: NDArray[np.bool_], h: NDArray[Any], validation: tuple[ArrayLike, ArrayLike] | None
) -> tuple[float, NDArray[np.float64]]:
    """The thresholds for all classes together and for each."""
    truth, scores = (y, h) if validation is None else validation
    return decisions.cardinality_threshold(scores, truth), decisions.cardinality_thresholds(scores, truth)


def _decided(
    y: NDArray[np.bool_], h: NDArray[Any], k: int, tau: float, per_class: NDArray[np.float64]
) -> dict[str, NDArray[np.uint8]]:
    """The decisions by name."""
    return {
        "top_k": decisions.top_k(h, k),
        "top_k_per_image": decisions.top_k_per_image(h, y),
        "cardinality_threshold": decisions.threshold(h, tau),
        "cardinality_threshold_per_class": decisions.threshold(h, per_class),
        "fixed_threshold": decisions.threshold(h, 0.5),
    }
