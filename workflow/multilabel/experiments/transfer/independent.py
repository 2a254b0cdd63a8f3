"""One-vs-rest logistic regression on the features of top models: what their shared hidden layers have to beat."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from multilabel import devices, provenance
from multilabel.datasets.labels import LabelMatrix, parts
from multilabel.evaluation import metrics, predictions
from multilabel.evaluation.predictions import Predictions
from multilabel.features import files as features_
from multilabel.files import complete_or_absent, write_json

Floats = NDArray[np.float32]
CS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Values of scikit-learn's C that are tried: the loss's weight against that of the L2 penalty."""
STEPS = 1000


class Classifiers(NamedTuple):
    """A linear classifier for each label: weights D×L and intercepts L, float64."""

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def scores(self, features: Floats) -> Floats:
        """Probabilities of features M×D, M×L float32."""
        with np.errstate(over="ignore"):
            return (1 / (1 + np.exp(-(features @ self.weights + self.intercept)))).astype(np.float32)


def train(
    name: str,
    features: Mapping[str, str],
    labels: Mapping[str, str],
    results: str | Path,
    *,
    sizes: Sequence[int],
    seed: int,
    record: Mapping[str, Any],
    threads: int,
) -> None:
    """Train the run and leave it as others are: scores, its seconds, and `independent/{name}` with the rest.

    C is chosen on validation images, with all training images; with fewer, it stays.

    Args:
        name: the run's.
        features: split → feature file; of train, val, and test where there is one.
        labels: train and val → label file.
        results: the folder of the dataset's results.
        sizes: fewer training images: `smaller.h5` has the scores of the last split, in groups `n{size}`.
        seed: of the order in which images are left out.
        record: what `run.json` records of its origin.
        threads: labels that are fitted at the same time; the result does not depend on it.
    """
    results, started = Path(results), time.monotonic()
    image_id, x = features_.load(features["train"])
    x, matrix = np.asarray(x), LabelMatrix.load(labels["train"])
    truth = matrix.labels[matrix.rows_of(image_id, name=labels["train"], other=features["train"])]
    seen, validation = features_.load(features["val"]), LabelMatrix.load(labels["val"])

    def validated(found: Classifiers) -> Predictions:
        scores = found.scores(np.asarray(seen.features))
        return predictions.with_truth(seen.image_id, scores, validation, name=labels["val"], other=features["val"])

    best, found = choose(x, truth, validated, CS, threads=threads)
    seconds = time.monotonic() - started
    evaluated = {split: path for split, path in features.items() if split != "train"}
    for split, path in evaluated.items():
        image_id, other = features_.load(path)
        predictions.save(predictions.path_of(results, name, split), image_id, best.scores(np.asarray(other)))
    c = max(found, key=found.__getitem__)
    last = list(evaluated)[-1]
    image_id, other = features_.load(evaluated[last])
    folder, smaller = results / "independent" / name, {}
    for rows in parts(len(x), sizes, seed):
        fewer, _ = fit(x[rows], truth[rows], c, threads=threads)
        smaller[f"n{len(rows)}"] = image_id, fewer.scores(np.asarray(other))
    predictions.save_several(folder / "smaller.h5", smaller)
    with complete_or_absent(folder / "weights.h5") as temporary, h5py.File(temporary, "w") as file:
        file["weights"], file["intercept"] = best
    inputs = provenance.digests([*features.values(), *labels.values()])
    write_json(folder / "run.json", {
        "specification": {"name": name, "c": list(CS)},
        **record,
        "inputs": inputs,
        "versions": provenance.versions(),
        "results": {"c": c, "mean_average_precision": {str(key): value for key, value in found.items()},
                    "trained_parameters": best.weights.size + best.intercept.size},
    })  # fmt: skip
    timing = {"epoch": [0], "seconds": [round(seconds, 3)], "memory_mb": [round(devices.peak_memory() / 1e6)]}
    with complete_or_absent(results / "timing/independent" / f"{name}.csv") as temporary:
        pd.DataFrame(timing).to_csv(temporary, index=False)


def load(path: str | Path) -> Classifiers:
    """The classifiers of a trained run, from its `weights.h5`."""
    with h5py.File(path, "r", locking=False) as file:
        return Classifiers(file["weights"][()], file["intercept"][()])


def choose(
    x: Floats,
    truth: NDArray[np.uint8],
    validation: Callable[[Classifiers], Predictions],
    cs: Sequence[float],
    *,
    threads: int = 1,
    report: Callable[[str], None] = print,
) -> tuple[Classifiers, dict[float, float]]:
    """Fit each label with every C, and keep the C, one for all labels, of the highest mean AP on validation images.

    Args:
        x: N×D float32, features as they are.
        truth: N×L, 0 or 1.
        validation: from classifiers to their scores of the validation images, with their truth.
        cs: values of scikit-learn's C. Of equally good ones the smallest is kept.
        threads: labels that are fitted at the same time; the result does not depend on it.
        report: takes a line for each C.

    Returns:
        The classifiers; and the mean AP of each C.
    """
    best: Classifiers | None = None
    found: dict[float, float] = {}
    for c in sorted(cs):
        classifiers, unfinished = fit(x, truth, c, threads=threads)
        scored = validation(classifiers)
        value = metrics.mean_average_precision(scored.truth, scored.scores)
        slow = f", {unfinished} labels not converged after {STEPS} steps" if unfinished else ""
        report(f"C = {c:g}: mean AP {value:.4f} on validation images{slow}")
        if best is None or value > max(found.values()):
            best = classifiers
        found[c] = value
    if best is None:
        raise ValueError("one-vs-rest logistic regression: expected at least one C, found none")
    return best, found


def fit(x: Floats, truth: NDArray[np.uint8], c: float, *, threads: int = 1) -> tuple[Classifiers, int]:
    """Scikit-learn's logistic regression of each label by itself; and how many did not end.

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
    return Classifiers(weights, intercept), sum(not done for _, _, done in fitted)
