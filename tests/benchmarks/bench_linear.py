"""Logistic regression of all labels at the size of MSRC v2, beside scikit-learn's liblinear on two processes.

Expected: at 394 × 9,984 × 23 at least 5 times as fast, with every objective within 1e-4 of its minimum.
"""

from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context

import numpy as np
from comparison import Row, in_turn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from multilabel.training import linear

N, L = 394, 23
Floats = NDArray[np.float64]

x: Floats
truth: NDArray[np.uint8]


def generate(n_features: int, rank: int = 60) -> None:
    """Non-negative features, half of them 0, and labels from common to rare, both from a few hidden causes."""
    global x, truth
    rng = np.random.default_rng(0)
    causes = rng.standard_normal((N, rank))
    x = np.maximum(
        causes @ rng.standard_normal((rank, n_features)) / np.sqrt(rank) + 0.5 * rng.standard_normal((N, n_features)), 0
    )
    margin = causes @ rng.standard_normal((rank, L)) / np.sqrt(rank) + 0.5 * rng.standard_normal((N, L))
    rank_of = margin.argsort(axis=0).argsort(axis=0)
    truth = (rank_of >= N * (1 - np.geomspace(0.35, 0.02, L))).astype(np.uint8)


def objective(penalty: str, weights: Floats, intercept: float, label: int) -> float:
    w = np.append(weights, intercept)
    sign = np.where(truth[:, label], 1.0, -1.0)
    loss = np.logaddexp(0, -sign * (x @ weights + intercept)).sum()
    return float((np.abs(w).sum() if penalty == "l1" else 0.5 * w @ w) + loss)


def liblinear(task: tuple[str, int, float]) -> tuple[Floats, float]:
    penalty, label, tolerance = task
    model = LogisticRegression(
        solver="liblinear", l1_ratio=float(penalty == "l1"), tol=tolerance, max_iter=10_000, random_state=0
    ).fit(x, truth[:, label])
    return model.coef_[0], float(model.intercept_[0])


def rows(rounds: int = 3) -> Iterator[Row]:
    """A row for each penalty and number of features."""
    for n_features, expected in ((9_984, 5), (2_240, None)):
        generate(n_features)
        # Forked processes hold the arrays already: nothing but the fits is timed.
        with get_context("fork").Pool(2) as pool:
            for penalty in ("l1", "l2"):
                best = linear.fit(x, truth, penalty=penalty, c=1.0, tolerance=1e-7).objective
                assert excess(linear.fit(x, truth, penalty=penalty, c=1.0).objective, best) < 1e-4
                exponent, tasks = 4, tasks_of(penalty, 4)
                while excess(objectives(penalty, pool.map(liblinear, tasks, chunksize=1)), best) > 1e-4:
                    exponent += 1
                    tasks = tasks_of(penalty, exponent)
                taken = in_turn(
                    {
                        "ours": partial(linear.fit, x, truth, penalty=penalty, c=1.0),
                        "theirs": partial(pool.map, liblinear, tasks, chunksize=1),
                    },
                    rounds,
                    warm=False,
                )
                work = f"{penalty.upper()} logistic regression, {N} × {n_features:,} × {L}"
                yield Row(work, f"liblinear, 2 processes, tol=1e-{exponent}", *taken.values(), expected=expected)


def tasks_of(penalty: str, exponent: int) -> list[tuple[str, int, float]]:
    """The fits of all labels to a tolerance of liblinear."""
    return [(penalty, label, 10.0**-exponent) for label in range(L)]


def objectives(penalty: str, fits: list[tuple[Floats, float]]) -> Floats:
    """What fits of all labels have reached."""
    return np.array([objective(penalty, w, b, label) for label, (w, b) in enumerate(fits)])


def excess(reached: Floats, best: Floats) -> float:
    """The largest relative distance from the minimum."""
    return float(np.max(reached / best - 1))
