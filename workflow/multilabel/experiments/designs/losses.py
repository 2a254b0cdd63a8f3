"""The losses with which Model 3 and the networks on features are trained."""

from collections.abc import Callable
from typing import Any

import numpy as np

from multilabel.experiments.designs import objectives
from multilabel.training.asymmetric import AsymmetricLoss
from multilabel.training.objectives import IGNORED, BinaryCrossEntropy, Objective


def objective(loss: str, labels: np.ndarray, *, gamma: float) -> Objective:
    """What a run minimises.

    Args:
        loss: one of `names.LOSSES`; `balanced_sampling` is the plain loss, of other samples.
        labels: of the training images, N×L, perhaps with IGNORED pairs: class weights follow from them.
        gamma: of the focal loss.
    """
    options: dict[str, Any] = {"ignoring": bool((labels == IGNORED).any())}
    if loss == "class_weights":
        return objectives.WeightedBinaryCrossEntropy(*objectives.balanced_weights(labels), **options)
    if loss == "focal":
        return objectives.Focal(gamma, **options)
    if loss == "asymmetric":  # as its authors use it for COCO, with ε small enough that hard positives still learn
        return AsymmetricLoss(4.0, 1.0, 0.05, epsilon=1e-8, scale=1.0, **options)
    made: dict[str, Callable[..., Objective]] = {
        "sigmoid_mse": objectives.SquaredError,
        "tanh_mse": objectives.TanhSquaredError,
        "softmax": objectives.Softmax,
    }
    return made.get(loss, BinaryCrossEntropy)(**options)
