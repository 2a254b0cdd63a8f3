"""Times the metrics and decisions beside scikit-learn's on arrays of the size of COCO's val2014.

Run by hand: python tests/benchmarks/bench_evaluation.py
Expected: all of `evaluate` in less than 5 s; average precision at least 5 times as fast as scikit-learn's.
"""

import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sk

from multilabel import decisions, metrics
from multilabel.evaluation import evaluate

N, L = 40_504, 80


def seconds(function: Callable[[], Any], repeat: int = 3) -> float:
    return min(timeit.repeat(function, number=1, repeat=repeat))


def compare() -> None:
    rng = np.random.default_rng(0)
    # As in COCO: one class in half of the images, the others long-tailed, 2.9 labels per image.
    frequency = np.geomspace(0.14, 0.0015, L)
    frequency[0] = 0.54
    truth = (rng.random((N, L)) < frequency).astype(np.uint8)
    scores = rng.random((N, L), dtype=np.float32)
    predicted = decisions.threshold(scores, 0.5)
    print(f"{N} × {L}, {metrics.label_cardinality(truth):.2f} labels per image; seconds, best of 3")

    for name, ours, theirs in (
        (
            "average precision per class",
            lambda: metrics.average_precision_per_class(truth, scores),
            lambda: [sk.average_precision_score(truth[:, j], scores[:, j]) for j in range(L)],
        ),
        (
            "average precision per image",
            lambda: metrics.image_average_precision(truth, scores),
            lambda: sk.label_ranking_average_precision_score(truth, scores),
        ),
        (
            "ranking loss",
            lambda: metrics.ranking_loss(truth, scores),
            lambda: sk.label_ranking_loss(truth, scores),
        ),
        ("coverage", lambda: metrics.coverage(truth, scores), lambda: sk.coverage_error(truth, scores)),
        (
            "precision, recall, F1: macro",
            lambda: metrics.precision_recall_f1(truth, predicted, "macro"),
            lambda: sk.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0),
        ),
        (
            "precision, recall, F1: instance",
            lambda: metrics.precision_recall_f1(truth, predicted, "instance"),
            lambda: sk.precision_recall_fscore_support(truth, predicted, average="samples", zero_division=0),
        ),
        (
            "Jaccard",
            lambda: metrics.jaccard(truth, predicted),
            lambda: sk.jaccard_score(truth, predicted, average="samples", zero_division=0),
        ),
        (
            "Hamming loss",
            lambda: metrics.hamming_loss(truth, predicted),
            lambda: sk.hamming_loss(truth, predicted),
        ),
    ):
        our_time, their_time = seconds(ours), seconds(theirs)
        print(f"{name:32s} ours {our_time:6.3f}  scikit-learn {their_time:6.3f}  ratio {their_time / our_time:5.1f}")

    for name, function in (
        ("top_k", lambda: decisions.top_k(scores, 3)),
        ("top_k, random ties", lambda: decisions.top_k(truth, 3, rng)),
        ("cardinality_threshold", lambda: decisions.cardinality_threshold(scores, truth)),
        ("cardinality_thresholds", lambda: decisions.cardinality_thresholds(scores, truth)),
        ("evaluate: all of it", lambda: evaluate(truth, scores)),
    ):
        print(f"{name:32s} ours {seconds(function):6.3f}")


if __name__ == "__main__":
    compare()
