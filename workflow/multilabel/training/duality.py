"""What the solvers of logistic regression share: the dual problem's bound on the objective, and a linear system."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.special import entr, expit, log_expit

Penalty = Literal["l1", "l2"]
Floats = NDArray[np.float64]


def solved(system: NDArray[np.floating[Any]], right: NDArray[np.floating[Any]]) -> Floats:
    """The solution of a positive definite system, in its precision; the system is overwritten."""
    solve = lapack.dposv if system.dtype == np.float64 else lapack.sposv
    _, solution, failed = solve(system.T, right, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError(f"logistic regression: a system of {len(right)} unknowns is singular to rounding")
    return np.asarray(solution)


def entropy(p: Floats) -> Floats:
    """What the dual of the logistic loss holds: −p log p − (1−p) log(1−p), summed over the last axis."""
    total: Floats = (entr(p) + entr(1 - p)).sum(axis=-1)
    return total


def pull_of(rows: Floats, sign: Floats, margin: Floats) -> Floats:
    """L×(D+1): minus the gradient of each label's loss, c left out."""
    return np.ascontiguousarray((rows @ (sign * expit(-margin)).T).T)


def certificate(weights: Floats, margin: Floats, pull: Floats, penalty: Penalty, c: float) -> tuple[Floats, Floats]:
    """Objective and relative duality gap of each label, L each, from weights, y·score and `pull_of`."""
    p = expit(-margin)
    loss = -c * log_expit(margin).sum(axis=1)
    if penalty == "l1":
        objective = np.abs(weights).sum(axis=1) + loss
        bound = c * entropy(p * feasible(pull, 1 / c)[:, None])
    else:
        objective = 0.5 * (weights**2).sum(axis=1) + loss
        bound = c * entropy(p) - 0.5 * c**2 * (pull**2).sum(axis=1)
    return objective, np.maximum(1 - bound / objective, 0.0)  # rounding alone would make it negative


def feasible(pull: Floats, strength: float) -> Floats:
    """By what factor the dual point of each label must shrink until no feature pulls more than `strength`."""
    return strength / np.maximum(np.abs(pull).max(axis=-1), strength)
