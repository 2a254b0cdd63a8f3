"""The names of the experiment's runs: without TensorFlow, since the plan of the workflow needs them."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

DESIGNS = MODEL_1, MODEL_2, MODEL_3 = ("model1", "model2", "model3")
PLAIN, PER_LABEL = "sigmoid_bce", "per_label"
OUTPUTS = (PLAIN, "sigmoid_mse", "tanh_mse", "softmax", PER_LABEL)
"""What the forum is about, on features: four outputs of one network, and one network per label."""


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


def run_of(loss: str) -> str:
    """The run of Model 3 with a loss.

    >>> run_of("sigmoid_bce"), run_of("softmax")
    ('model3', 'model3_softmax')
    """
    return MODEL_3 if loss == PLAIN else f"{MODEL_3}_{loss}"


def runs_of(variants: Iterable[str]) -> list[str]:
    """The runs of Model 3: the plain one, and those with other losses."""
    return [run_of(loss) for loss in (PLAIN, *variants)]


def loss_of(run: str) -> str:
    """The loss of a run of Model 3."""
    return run.removeprefix(MODEL_3).lstrip("_") or PLAIN


def features_run_of(output: str, number: int) -> str:
    """The run on features with an output and the seed of this number.

    >>> features_run_of("softmax", 3)
    'features_softmax_3'
    """
    return f"features_{output}_{number}"
