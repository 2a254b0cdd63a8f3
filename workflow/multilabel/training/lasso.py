"""Logistic regression under the L1 penalty.

Here the loss has weight 1 and the penalty the weight `strength`, in the end 1 / c.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit

from multilabel.training.duality import Floats, certificate, entropy, feasible, pull_of, solved

_FIRST_PROXIMITY = 10.0


def fit(
    rows: Floats, sign: Floats, c: float, tolerance: float, report: Callable[[str], None]
) -> tuple[Floats, NDArray[np.int64]]:
    """Weights (L×(D+1)) under the L1 penalty, with steps taken.

    In rounds: one matrix product gives the pull of every feature on every label. Each label then takes the features
    that it uses and those that pull most, and is solved on these alone. Its penalty begins where the first features
    enter and falls to the one asked for, so that few features come and go.
    """
    n_labels, final = len(sign), 1 / c
    weights = np.zeros((n_labels, len(rows)))
    margin = np.zeros(sign.shape)
    iterations = np.zeros(n_labels, np.int64)
    strength = np.full(n_labels, np.inf)
    proximity = np.zeros(n_labels)

    def improve(label: int, pull: Floats, gap: float) -> None:
        warm = strength[label] == final
        strength[label] = max(final, 0.4 * min(strength[label], np.abs(pull).max()))
        chosen = _working_set(weights[label], pull)
        found = _semismooth_newton(
            rows[chosen] * sign[label],
            weights[label, chosen],
            margin[label],
            strength[label],
            max(0.3 * tolerance, 0.02 * min(1.0, gap)) if strength[label] == final else 0.1,
            max(_FIRST_PROXIMITY, 0.1 * proximity[label]) if warm else _FIRST_PROXIMITY,
        )
        weights[label, chosen], margin[label], proximity[label] = found.weights, found.margin, found.proximity
        iterations[label] += found.iterations

    todo = np.arange(n_labels)
    for turn in range(100):
        pull = pull_of(rows, sign[todo], margin[todo])
        _, gap = certificate(weights[todo], margin[todo], pull, "l1", c)
        remaining = gap > 0.9 * tolerance  # below it by more than rounding
        report(f"L1 round {turn}: {remaining.sum()} of {n_labels} labels to go, gap {gap.max(initial=0):.1e}")
        todo, pull, gap = todo[remaining], pull[remaining], gap[remaining]
        if not len(todo):
            break
        for row, label in enumerate(todo):
            improve(int(label), pull[row], float(gap[row]))
    return weights, iterations


def _working_set(weights: Floats, pull: Floats, fewest: int = 100) -> NDArray[np.intp]:
    """The features in use and those that pull most beside them, as many again, in order."""
    used = weights != 0
    size = min(int(used.sum()) + max(fewest, int(used.sum())), len(weights))
    order = np.where(used, np.inf, np.abs(pull))
    return np.sort(np.argpartition(-order, size - 1)[:size])


class _Restricted(NamedTuple):
    weights: Floats
    margin: Floats
    proximity: float
    iterations: int


def _semismooth_newton(
    rows: Floats,
    weights: Floats,
    margin: Floats,
    strength: float,
    tolerance: float,
    proximity: float,
) -> _Restricted:
    """Minimises strength · ‖w‖₁ + Σ log(1 + exp(−margin)), margin = w @ rows, over few features.

    The proximal point method: each outer step minimises the objective plus ‖w − centre‖² / (2 · proximity). Its dual is
    smooth in N unknowns, so Newton's method with a line search solves it however many weights enter, leave or change
    their sign at once, and its system is only as large as the number of weights in use. (Li, Sun and Toh, "A highly
    efficient semismooth Newton augmented Lagrangian method for solving Lasso problems", SIAM J. Optim. 2018, there for
    the squared loss.) The dual point p is held as the margin whose probability of error it is.

    Args:
        rows: features × images, each image multiplied by its sign.
        weights: where to begin.
        margin: where the dual begins.
        strength: of the penalty.
        tolerance: relative duality gap at which to stop.
        proximity: of the first step, 1 where the proximal term is as curved as the loss; it grows.
    """
    iterations = 0
    p = expit(-margin)
    # Each weight's share of the curvature: with it the steps do not depend on the features' units.
    curvature = max(float(np.mean(p * (1 - p))), 1e-4) * np.einsum("ij,ij->i", rows, rows)
    unit = 1 / np.maximum(curvature, 1e-16 * curvature.max())  # a feature that is always 0 has none
    best, best_margin = weights, margin
    best_objective = strength * float(np.abs(weights).sum()) - float(log_expit(margin).sum())
    # From inside the dual's bounds few weights enter; from outside, every feature that pulls too hard would at once.
    margin = -logit(np.clip(p * feasible(rows @ p, strength), 1e-300, 1 - 1e-16))

    def primal(p: Floats) -> tuple[Floats, Floats, float]:
        pull = rows @ p
        moved = centre + reach * pull
        w = np.sign(moved) * np.maximum(np.abs(moved) - reach * strength, 0.0)
        return pull, w, 0.5 * float(w @ (w / reach)) - float(entropy(p))

    halved = rows.astype(np.float32)
    for _ in range(60):
        # Where the proximal term keeps the system well conditioned, half the digits do for a direction, in half the
        # time. Everything else has all digits, the certificate too.
        held = halved if proximity <= 1e3 else rows
        reach, centre, p = proximity * unit, weights, expit(-margin)
        pull, weights, value = primal(p)
        reached = False
        for inner in range(50):
            attained = weights @ rows
            residual = attained - margin
            curvature = p * (1 - p)
            error = float(residual @ (curvature * residual))
            moved = weights - centre
            if inner and error < 0.1 * min(1.0, float(moved @ (moved / reach))):
                reached = True
                break
            iterations += 1
            direction = residual
            used = weights.nonzero()[0]
            if len(used):
                root = np.sqrt(curvature)
                scaled = held[used]
                scaled *= root.astype(held.dtype)
                system = scaled @ scaled.T
                diagonal = system.reshape(-1)[:: len(used) + 1]
                rounding = 4 * sum(scaled.shape) * np.finfo(held.dtype).eps
                diagonal += np.maximum(1 / reach[used], rounding * diagonal)
                change = np.zeros(len(weights))
                change[used] = solved(system, scaled @ (root * residual).astype(held.dtype))
                direction = residual - change @ rows
            slope = -float((curvature * residual) @ direction)
            step = 1.0
            while step > 1e-6:
                new_margin = margin + step * direction
                new_p = expit(-new_margin)
                new_pull, new_weights, new_value = primal(new_p)
                if new_value <= value + 1e-4 * step * slope + 1e-12 * abs(value):
                    break
                step /= 2
            else:
                break  # rounding leaves no better point on this line
            margin, p, pull, weights, value = new_margin, new_p, new_pull, new_weights, new_value
        else:
            attained = weights @ rows  # those of the last step, too

        objective = strength * float(np.abs(weights).sum()) - float(log_expit(attained).sum())
        if objective <= best_objective * (1 + 1e-14):  # of equal ones the later, whose dual point is nearer
            best, best_margin, best_objective = weights, attained, objective
        # The dual point that `fit` judges by is that of the weights; it comes near the minimum later than this one.
        if best_objective - float(entropy(p * feasible(pull, strength))) <= tolerance * best_objective:
            judged = expit(-best_margin)
            bound = float(entropy(judged * feasible(rows @ judged, strength)))
            if best_objective - bound <= 3 * tolerance * best_objective:
                break
        if reached:
            proximity = min(1e6, proximity * (10 if inner <= 2 else 3))
        else:
            proximity, weights, margin = proximity / 30, best, best_margin
    return _Restricted(best, best_margin, proximity, iterations)
