"""Binary logistic regression of every label at once on shared features: VGG+L1LR and VGG+LR of Dong et al.

For each label, with y = ±1 and a further feature that is always 1, whose weight is the intercept b, this minimises
liblinear's objective, which penalises the intercept like any weight:

    L1:  ‖w‖₁ + |b| + c · Σ log(1 + exp(−y (w·x + b)))
    L2:  ½ ‖w‖² + ½ b² + c · Σ log(1 + exp(−y (w·x + b)))

Eq. 1 of Dong et al. is the first of them divided by c m for m images, so λ = 1 / (c m); it leaves b unpenalised, but
the paper's results come from liblinear. Features are taken as they are.

Each fit ends with a certificate: the best objective that a feasible point of the dual problem proves possible.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from multilabel import arrays
from multilabel.training import lasso
from multilabel.training.duality import Floats, Penalty, certificate, entropy, pull_of, solved

Solver = Literal["own", "liblinear"]


@dataclass(frozen=True)
class LinearModel:
    """One linear classifier per label: D features, L labels.

    Attributes:
        weights: D×L. Under the L1 penalty most of them are exactly 0.
        intercept: L.
        objective: L, what was minimised.
        gap: L, how far above the minimum the objective can be at most, as a share of the objective.
        iterations: L, steps of Newton's method (liblinear: its own count).
    """

    weights: Floats
    intercept: Floats
    objective: Floats
    gap: Floats
    iterations: NDArray[np.int64]


def fit(
    x: ArrayLike,
    truth: ArrayLike,
    *,
    penalty: Penalty,
    c: float,
    tolerance: float = 1e-5,
    solver: Solver = "own",
    report: Callable[[str], None] | None = None,
) -> LinearModel:
    """Fits all labels to the objective above.

    A label that all or none of the images have leaves nothing to learn. Its weights and its gap are 0, and its
    intercept is ±log(N + 1): the probability (n + 1) / (N + 2) of Laplace's rule of succession for n = N or 0. So its
    scores are finite, equal for all images, and on the right side of 0.

    It uses one core: BLAS' own threads gain nothing on matrices as small as these, and would make the last digits
    depend on the machine. Splits are what to run in parallel.

    Args:
        x: N×D, finite.
        truth: N×L, 0 or 1.
        penalty: of the weights.
        c: weight of the loss against the penalty.
        tolerance: the gap at which a label is done. The objective itself is then far nearer to its minimum. Below about
            1e-7 rounding can keep the L1 gap from being reached.
        solver: "own", or "liblinear" for scikit-learn's, label by label, as the reference.
        report: takes lines on the progress.

    Raises:
        ValueError: arrays whose shapes do not fit, features that are not finite, truth other than 0 and 1, or a
            parameter out of its range.

    Warns:
        RuntimeWarning: a label whose gap is still above `tolerance`; the model says how far.
    """
    labels = arrays.checked_labels(truth)
    features = _checked_features(x, len(labels))
    if penalty not in get_args(Penalty):
        raise ValueError(f"penalty: expected one of {', '.join(get_args(Penalty))}, found {penalty!r}")
    if solver not in get_args(Solver):
        raise ValueError(f"solver: expected one of {', '.join(get_args(Solver))}, found {solver!r}")
    for name, value in (("c", c), ("tolerance", tolerance)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name}: expected a finite number above 0, found {value}")

    n_images, n_labels = labels.shape
    positives = labels.sum(axis=0)
    varied = np.flatnonzero((positives > 0) & (positives < n_images))
    sign = np.where(labels.T, 1.0, -1.0)
    weights = np.zeros((n_labels, features.shape[1] + 1))
    weights[:, -1] = sign[:, 0] * np.log(n_images + 1)
    iterations = np.zeros(n_labels, np.int64)

    # Features as rows: those that a label needs are gathered as contiguous memory.
    rows = np.empty((features.shape[1] + 1, n_images))
    rows[:-1], rows[-1] = features.T, 1.0
    with threadpool_limits(1, user_api="blas"):
        if solver == "liblinear":
            found = _liblinear(features, labels[:, varied], penalty, c, tolerance)
        elif penalty == "l1":
            found = lasso.fit(rows, sign[varied], c, tolerance, report or _silent)
        else:
            found = _ridge(rows, sign[varied], c, tolerance)
        weights[varied], iterations[varied] = found
        margin = sign * (weights @ rows)
        objective, gap = certificate(weights, margin, pull_of(rows, sign, margin), penalty, c)
    gap[np.setdiff1d(np.arange(n_labels), varied)] = 0.0

    if (gap > tolerance).any():
        worst = int(np.argmax(gap))
        warnings.warn(
            f"logistic regression: {np.sum(gap > tolerance)} of {n_labels} labels did not reach the gap {tolerance}, "
            f"the worst is label {worst} with {gap[worst]:.2g}",
            RuntimeWarning,
            stacklevel=2,
        )
    if report:
        report(f"{len(varied)} of {n_labels} labels fitted, {iterations.max(initial=0)} steps, gap {gap.max():.1e}")
    return LinearModel(weights[:, :-1].T.copy(), weights[:, -1].copy(), objective, gap, iterations)


def scores(model: LinearModel, x: ArrayLike) -> Floats:
    """Decision values w·x + b, N×L float64: positive where the label is more probable than not.

    Raises:
        ValueError: not a matrix of finite numbers, or not the model's number of features.
    """
    features = _checked_features(x)
    if features.shape[1] != len(model.weights):
        raise ValueError(f"x: expected the model's {len(model.weights)} features, found {features.shape[1]}")
    return features @ model.weights + model.intercept


def probabilities(model: LinearModel, x: ArrayLike) -> Floats:
    """Probability of each label, N×L float64; raises what `scores` raises."""
    probability: Floats = expit(scores(model, x))
    return probability


def _checked_features(x: ArrayLike, n_images: int | None = None) -> Floats:
    features = np.asarray(x)
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(f"x: expected a matrix of images × features, not empty, found shape {features.shape}")
    if features.dtype.kind not in "biuf":
        raise ValueError(f"x: expected real numbers, found the type {features.dtype}")
    if n_images is not None and len(features) != n_images:
        raise ValueError(f"expected as many rows in x as in truth, found x {len(features)}, truth {n_images}")
    features = features.astype(np.float64, copy=False)
    finite = np.isfinite(features)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"x: expected finite numbers, found {np.sum(~finite)} others, the first in row {row}, column {column}: "
            f"{features[row, column]}"
        )
    return features


def _silent(_: str) -> None:
    pass


# L2. With N images and D features the weights have min(N, D) degrees of freedom: the system is solved in that space.


class _Space(NamedTuple):
    """Weights as coefficients of a basis: how to reach what Newton's method needs from them."""

    margins: Callable[[Floats], Floats]  # coefficients → w·x of each image
    pull: Callable[[Floats], Floats]  # r, one number per image → coefficients of Σ r x
    squared_norm: Callable[[Floats], float]  # coefficients → ‖w‖²
    solve: Callable[[Floats, Floats], Floats]  # d and r, one number per image → (I + Σ d x xᵀ) w = Σ r x


def _kernel_space(rows: Floats) -> _Space:
    """Coefficients are of the images, w = Σ u x: for fewer images than features."""
    gram = rows.T @ rows

    def solve(d: Floats, r: Floats) -> Floats:
        # Woodbury's identity in the form that stays well conditioned where d is tiny: Rasmussen and Williams, "Gaussian
        # Processes for Machine Learning", Eqs. 3.26, 3.27.
        root = np.sqrt(d)
        system = root[:, None] * gram * root
        np.einsum("ii->i", system)[:] += 1
        return r - root * solved(system, root * (gram @ r))

    return _Space(lambda u: gram @ u, lambda r: r, lambda u: float(u @ gram @ u), solve)


def _feature_space(rows: Floats) -> _Space:
    """Coefficients are the weights themselves: for fewer features than images."""

    def solve(d: Floats, r: Floats) -> Floats:
        scaled = rows * np.sqrt(d)
        system = scaled @ scaled.T
        np.einsum("ii->i", system)[:] += 1
        return solved(system, rows @ r)

    return _Space(lambda u: u @ rows, lambda r: rows @ r, lambda u: float(u @ u), solve)


def _ridge(rows: Floats, sign: Floats, c: float, tolerance: float) -> tuple[Floats, NDArray[np.int64]]:
    """Weights (L×(D+1)) under the L2 penalty, with steps taken: Newton's method, label by label in a shared space."""
    by_image = rows.shape[1] <= rows.shape[0]
    space = _kernel_space(rows) if by_image else _feature_space(rows)
    flatness = 0.03 * np.einsum("ij,ij->", rows, rows) / rows.shape[1]
    found = [_newton(space, y, c, tolerance, flatness) for y in sign]
    if not found:
        return np.zeros((0, len(rows))), np.zeros(0, np.int64)
    coefficients = np.stack([u for u, _ in found])
    weights = (rows @ coefficients.T).T if by_image else coefficients
    return weights, np.array([steps for _, steps in found])


def _newton(space: _Space, y: Floats, c: float, tolerance: float, flatness: float) -> tuple[Floats, int]:
    """Coefficients of the minimum of one label, and steps taken.

    It begins at a multiple of the ridge regression of y, which halves the steps: where features can tell all images
    apart, the logistic margins are nearly equal too.
    """

    def value(u: Floats, z: Floats) -> float:
        return 0.5 * space.squared_norm(u) - c * float(log_expit(y * z).sum())

    u = space.solve(np.full(len(y), 1 / flatness), y / flatness)
    z = space.margins(u)
    multiples = np.concatenate([[0.0], np.geomspace(0.25, 128, 19)])
    best = multiples[np.argmin([value(multiple * u, multiple * z) for multiple in multiples])]
    u, z = best * u, best * z
    objective = value(u, z)

    steps = 0
    while steps < 100:
        p = expit(-y * z)
        slope = c * y * p
        bound = c * float(entropy(p)) - 0.5 * space.squared_norm(space.pull(slope))
        if objective - bound <= 0.9 * tolerance * objective:
            break
        steps += 1
        d = c * p * (1 - p)
        du = space.solve(d, d * z + slope) - u
        dz = space.margins(du)
        step = 1.0
        while step > 1e-8 and value(u + step * du, z + step * dz) > objective:
            step /= 2
        u, z = u + step * du, z + step * dz
        objective = value(u, z)
    return u, steps


def _liblinear(
    features: Floats, labels: NDArray[np.bool_], penalty: Penalty, c: float, tolerance: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Weights (L×(D+1)) and iterations of scikit-learn's liblinear."""
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((labels.shape[1], features.shape[1] + 1))
    iterations = np.zeros(labels.shape[1], np.int64)
    for label, column in enumerate(labels.T):
        # liblinear's tolerance is on the gradient, relative to that at 0: about 1e-2 of it reaches the gap.
        peer = LogisticRegression(
            solver="liblinear",
            l1_ratio=1 if penalty == "l1" else 0,
            C=c,
            tol=1e-2 * tolerance,
            max_iter=10_000,
            random_state=0,
        ).fit(features, column)
        weights[label] = np.append(peer.coef_[0], peer.intercept_)
        iterations[label] = int(peer.n_iter_[0])
    return weights, iterations
