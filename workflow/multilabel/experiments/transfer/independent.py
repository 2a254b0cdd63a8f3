"""One-vs-rest logistic regression on the features of top models: what their shared hidden layers have to beat."""

import warnings
from collections.abc import Callable, Sequence
from multiprocessing.pool import ThreadPool

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from multilabel.evaluation import metrics
from multilabel.evaluation.predictions import Predictions

Floats = NDArray[np.float32]
Scorer = Callable[[Floats], Floats]
STEPS = 1000


def choose(
    x: Floats,
    truth: NDArray[np.uint8],
    validation: Callable[[Scorer], Predictions],
    cs: Sequence[float],
    *,
    threads: int = 1,
    report: Callable[[str], None] = print,
) -> tuple[Scorer, dict[float, float]]:
    """Fit each label with every C, and keep the C, one for all labels, of the highest mean AP on validation images.

    Args:
        x: N×D float32, features as they are.
        truth: N×L, 0 or 1.
        validation: from the function that gives scores to the scores of the validation images, with their truth.
        cs: values of scikit-learn's C: the loss's weight against that of the L2 penalty. Of equally good ones the
            smallest is kept.
        threads: labels that are fitted at the same time; the result does not depend on it.
        report: takes a line for each C.

    Returns:
        What scores features M×D, M×L float32; and the mean AP of each C.
    """
    best: Scorer | None = None
    found: dict[float, float] = {}
    for c in sorted(cs):
        scorer, unfinished = fit(x, truth, c, threads=threads)
        scored = validation(scorer)
        value = metrics.mean_average_precision(scored.truth, scored.scores)
        slow = f", {unfinished} labels not converged after {STEPS} steps" if unfinished else ""
        report(f"C = {c:g}: mean AP {value:.4f} on validation images{slow}")
        if best is None or value > max(found.values()):
            best = scorer
        found[c] = value
    if best is None:
        raise ValueError("one-vs-rest logistic regression: expected at least one C, found none")
    return best, found


def fit(x: Floats, truth: NDArray[np.uint8], c: float, *, threads: int = 1) -> tuple[Scorer, int]:
    """What scores features, from scikit-learn's logistic regression of each label by itself; and how many did not end.

    A label that all or none of the images have gets their share, 1 or 0, as its score.
    """

    def one(label: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float, bool]:
        if label.all() or not label.any():
            return np.zeros(x.shape[1]), np.inf if label.all() else -np.inf, True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=c, max_iter=STEPS).fit(x, label)
        return model.coef_[0], float(model.intercept_[0]), bool(model.n_iter_[0] < STEPS)

    # Sums in one order, whatever the machine.
    with threadpool_limits(1, user_api="blas"), ThreadPool(threads) as pool:
        fitted = pool.map(one, np.ascontiguousarray(truth.T))
    weights = np.stack([weight for weight, _, _ in fitted], axis=1)
    intercept = np.array([number for _, number, _ in fitted])

    def scores(features: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return (1 / (1 + np.exp(-(features @ weights + intercept)))).astype(np.float32)

    return scores, sum(not done for _, _, done in fitted)
