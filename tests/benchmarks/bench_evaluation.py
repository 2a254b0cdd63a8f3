"""Metrics and decisions on as many scores as COCO's val2014 has, beside scikit-learn.

Expected: all of `evaluate` in less than 5 s; average precision at least 5 times as fast as scikit-learn's.
"""

from collections.abc import Iterator

import numpy as np
from comparison import Row, in_turn
from sklearn import metrics as sk

from multilabel.evaluation import decisions, metrics
from multilabel.evaluation.all_metrics import evaluate

N, L = 40_504, 80


def rows(rounds: int = 5) -> Iterator[Row]:
    """A row for each metric that scikit-learn has, and one for all of them and the decisions."""
    rng = np.random.default_rng(0)
    # As in COCO: one class in half of the images, the others long-tailed, 2.9 labels per image.
    frequency = np.geomspace(0.14, 0.0015, L)
    frequency[0] = 0.54
    truth = (rng.random((N, L)) < frequency).astype(np.uint8)
    scores = rng.random((N, L), dtype=np.float32)
    predicted = decisions.threshold(scores, 0.5)
    expected = {"average precision per class": 5.0}
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
        taken = in_turn({"ours": ours, "theirs": theirs}, rounds)
        yield Row(f"{name}, {N:,} × {L}", "scikit-learn", *taken.values(), expected=expected.get(name))
    all_of_it = in_turn({"ours": lambda: evaluate(truth, scores)}, rounds, warm=False)["ours"]
    yield Row("all metrics and decisions", "the 5 s they may take", all_of_it, [5.0] * rounds, expected=1)
