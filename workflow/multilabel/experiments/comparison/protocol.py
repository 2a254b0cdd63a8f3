"""The one protocol: which run stands for a method, and what it scores on the same test images as all others.

Choices are made on validation images alone: of a method's candidates, each class's threshold, and the method that the
others are compared with. Test images without labels are left out for every method.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, bootstrap, predictions
from multilabel.evaluation.predictions import Predictions
from multilabel.methods import Method, Run

DECISION = "cardinality_threshold_per_class"
"""How labels are decided on: above a threshold for each class, by which as many validation images have it as do."""
METRICS = {
    "mAP": "mean_average_precision",
    "macro F1": f"{DECISION}_macro_f1",
    "micro F1": f"{DECISION}_micro_f1",
    "instance F1": f"{DECISION}_instance_f1",
    "Hamming loss": f"{DECISION}_hamming_loss",
    "image AP": "image_average_precision",
    "ranking loss": "ranking_loss",
    "coverage": "coverage",
    "one-error": "one_error",
}
"""Heading → name as of `all_metrics.evaluate`."""
LESS_IS_BETTER = ("Hamming loss", "ranking loss", "coverage", "one-error")
CHOSEN_BY = "mean_average_precision"
"""The metric on validation images by which the method is found that others are compared with."""


class Labels(NamedTuple):
    """The labels of the splits that methods are judged on, in the one order of the images."""

    val: LabelMatrix
    test: LabelMatrix

    @classmethod
    def load(cls, val: str | Path, test: str | Path) -> "Labels":
        """Read both."""
        return cls(LabelMatrix.load(val), LabelMatrix.load(test))


class Judged(NamedTuple):
    """A method as it is compared.

    `candidate` is the number of the one that validation images chose; `test` and `validation` what its first seed
    predicts; `seeds` every seed's metrics on test; `on_validation` the first's mean average precision on validation.
    """

    method: Method
    candidate: int
    test: Predictions
    validation: Predictions
    seeds: list[dict[str, float]]
    on_validation: float

    @property
    def run(self) -> Run:
        """The run of the first seed."""
        return self.method.candidates[self.candidate][0]

    @property
    def model(self) -> str:
        """Its model file."""
        return self.method.models[self.candidate]

    @property
    def values(self) -> dict[str, float]:
        """The metrics of the first seed."""
        return self.seeds[0]

    @property
    def chosen_on(self) -> tuple[np.ndarray, np.ndarray]:
        """Truth and scores on which thresholds are chosen."""
        return self.validation.truth, self.validation.scores


def judge(method: Method, results: str | Path, labels: Labels, *, k: int, criterion: str) -> Judged:
    """Choose among a method's candidates and evaluate the chosen one.

    Args:
        method: what an experiment offers.
        results: the folder of the dataset's results.
        labels: of the images that all methods are judged on.
        k: labels per image of the decision `top_k`.
        criterion: the metric on validation images by which candidates are chosen.

    Raises:
        ValueError: a run has scores of images that are not of the split; the message names the file.
    """
    found = []
    for candidate in method.candidates:
        validation = scored(Path(results, candidate[0].scores("val")), labels.val)
        values = all_metrics.evaluate(validation.truth, validation.scores, k=k)
        found.append((values[criterion], values[CHOSEN_BY], validation))
    chosen = max(range(len(found)), key=lambda number: found[number][0])
    _, on_validation, validation = found[chosen]
    seeds = []
    for run in method.candidates[chosen]:
        own = scored(Path(results, run.scores("val")), labels.val)
        test = scored(Path(results, run.scores("test")), labels.test)
        seeds.append((test, all_metrics.evaluate(test.truth, test.scores, k=k, validation=(own.truth, own.scores))))
    return Judged(method, chosen, seeds[0][0], validation, [values for _, values in seeds], on_validation)


def scored(path: Path, labels: LabelMatrix, group: str = "/") -> Predictions:
    """The scores of a file for the labelled images of a split, in the order of the labels.

    Raises:
        ValueError: it has scores of an image that is not of the split; the message names the file.
    """
    image_id, scores = predictions.load(path, group)
    order = np.argsort(labels.rows_of(image_id, name="labels of the split", other=str(path)))
    return predictions.with_truth(image_id[order], scores[order], labels, name="labels of the split", other=str(path))


def smaller(method: Method, results: str | Path, labels: LabelMatrix) -> dict[int, Predictions]:
    """What a method predicts for the test images after training on fewer images, by their number."""
    found = {}
    for size, (path, group) in method.smaller.items():
        with h5py.File(Path(results, path), "r", locking=False) as file:
            if group not in file:
                continue  # the dataset has not so many images
        found[size] = scored(Path(results, path), labels, group)
    return found


def judge_all(
    methods: Mapping[str, Method], results: str | Path, labels: Labels, *, k: int, criterion: str
) -> dict[str, Judged]:
    """All methods by name; see `judge`.

    Raises:
        ValueError: there is no method, or two have not scores of the same images; the message names them.
    """
    if not methods:
        raise ValueError(
            "comparison: no method can be compared. They are chosen on validation images apart from the test images: "
            "set dataset.validation.fraction above 0"
        )
    found = {name: judge(method, results, labels, k=k, criterion=criterion) for name, method in methods.items()}
    first = next(iter(found))
    for name, judged in found.items():
        for split in ("test", "validation"):
            one, other = getattr(found[first], split).image_id, getattr(judged, split).image_id
            if not np.array_equal(one, other):
                raise ValueError(
                    f"comparison: expected scores of the same {split} images of all methods, found {len(one)} images "
                    f"of {first}, {len(other)} of {name}; {len(np.setxor1d(one, other))} are of one alone"
                )
    return found


def resampled(found: Mapping[str, Judged], *, k: int, resamples: int, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Every metric of every method on the same resamples of the test images; see `bootstrap.resample`."""
    return {
        name: bootstrap.resample(
            judged.test.truth, judged.test.scores, k=k, validation=judged.chosen_on, n=resamples, seed=seed
        )
        for name, judged in found.items()
    }


def reference(found: Mapping[str, Judged]) -> str:
    """The method that the others are compared with: the one of the highest mean average precision on validation images.

    The best on test images would be so by luck in part: every difference from it would be too large.
    """
    return max(found, key=lambda name: found[name].on_validation)
