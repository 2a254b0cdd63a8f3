"""One-vs-rest logistic regression is scikit-learn's, with C chosen on validation images."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.multiclass import OneVsRestClassifier

from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.transfer import independent

CS = [0.01, 1.0, 100.0]


@pytest.fixture(scope="module")
def data():
    """Features and noisy labels of 120 training and 60 validation images."""
    rng = np.random.default_rng(0)
    x = rng.random((180, 30)).astype(np.float32)
    truth = (x @ rng.normal(size=(30, 4)) + rng.normal(scale=2, size=(180, 4)) > 0.5).astype(np.uint8)
    return (x[:120], truth[:120]), (x[120:], truth[120:])


def chosen(train, validation, cs, **options):
    x, truth = validation
    return independent.choose(
        *train, lambda found: Predictions(np.arange(len(x)), truth, found.scores(x)), cs, **options
    )


def test_scores_are_those_of_scikit_learn(data):
    (x, truth), (seen, _) = data
    scorer, _ = independent.fit(x, truth, 0.5)
    expected = OneVsRestClassifier(LogisticRegression(C=0.5, max_iter=1000)).fit(x, truth).predict_proba(seen)
    np.testing.assert_allclose(scorer.scores(seen), expected, atol=1e-5)


def test_the_c_of_the_highest_mean_ap_on_validation_images_is_kept(data):
    train, validation = data
    scorer, found = chosen(train, validation, CS)
    expected = {}
    for c in CS:
        scores = OneVsRestClassifier(LogisticRegression(C=c, max_iter=1000)).fit(*train).predict_proba(validation[0])
        expected[c] = average_precision_score(validation[1], scores, average="macro")
    assert found == pytest.approx(expected, abs=1e-3)
    best = max(expected, key=expected.__getitem__)
    np.testing.assert_array_equal(scorer.scores(validation[0]), independent.fit(*train, best)[0].scores(validation[0]))


def test_threads_do_not_change_a_bit(data):
    scores = [chosen(*data, [1.0], threads=threads)[0].scores(data[1][0]).tobytes() for threads in (1, 3)]
    assert scores[0] == scores[1]


def test_a_label_of_all_or_no_images_has_its_share_as_score():
    x = np.random.default_rng(1).random((10, 3)).astype(np.float32)
    truth = np.stack([np.ones(10), np.zeros(10)], axis=1).astype(np.uint8)
    assert independent.fit(x, truth, 1.0)[0].scores(x).tolist() == [[1.0, 0.0]] * 10
