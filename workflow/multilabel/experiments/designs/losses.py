"""The losses with which Model 3 and the networks on features are trained."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from multilabel.config.designs import IMBALANCE, OUTPUTS
from multilabel.experiments.designs import objectives
from multilabel.experiments.designs.names import PLAIN
from multilabel.training.asymmetric import AsymmetricLoss
from multilabel.training.objectives import IGNORED, BinaryCrossEntropy, Objective


class Loss(NamedTuple):
    """What tables call a loss, and where it is from: the `tutorial`'s advice or the `forum`."""

    title: str
    source: str


LOSSES: Mapping[str, Loss] = {
    PLAIN: Loss("sigmoid, binary cross-entropy", "both"),
    "sigmoid_mse": Loss("sigmoid, squared error", "forum"),
    "tanh_mse": Loss("tanh and ±1, squared error", "forum"),
    "softmax": Loss("softmax, labels divided by their number", "forum"),
    "class_weights": Loss("class weights", "tutorial"),
    "balanced_sampling": Loss("balanced sampling", "tutorial"),
    "focal": Loss("focal loss", "tutorial"),
    "asymmetric": Loss("asymmetric loss", "tutorial"),
}
assert set(LOSSES) == {PLAIN, *OUTPUTS, *IMBALANCE}


def objective(loss: str, labels: np.ndarray, *, gamma: float) -> Objective:
    """What a run minimises.

    Args:
        loss: one of `LOSSES`; `balanced_sampling` is the plain loss, of other samples.
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
