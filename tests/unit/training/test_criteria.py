import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from multilabel.datasets.labels import IGNORED
from multilabel.training.criteria import HIGHEST_MAP, mean_average_precision
from multilabel.training.schedule import LOWEST_LOSS

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((30, 4)) < 0.4).astype(np.uint8)
SCORES = RNG.random((30, 4)).astype(np.float32).round(1)


def test_it_is_the_mean_of_scikit_learns_average_precision():
    expected = np.mean([average_precision_score(*pair) for pair in zip(TRUTH.T, SCORES.T, strict=True)])
    assert mean_average_precision(TRUTH, SCORES) == pytest.approx(expected, abs=1e-12)


def test_ignored_pairs_are_as_if_the_image_were_not_there_for_that_class():
    hidden = RNG.random(TRUTH.shape) < 0.3
    hidden[:, 0] = True
    classes = [average_precision_score(TRUTH[rows, j], SCORES[rows, j]) for j, rows in enumerate(~hidden.T) if j]
    found = mean_average_precision(np.where(hidden, IGNORED, TRUTH).astype(np.uint8), SCORES)
    assert found == pytest.approx(sum(classes) / 4, abs=1e-12)


def test_each_has_its_direction():
    assert LOWEST_LOSS.better(0.1, 0.2, by=0.05)
    assert not LOWEST_LOSS.better(0.1, 0.2, by=0.2)
    assert HIGHEST_MAP.better(0.2, 0.1)
    assert not HIGHEST_MAP.better(0.1, 0.1)
