import numpy as np
import pytest

from multilabel.experiments.designs import sampling
from multilabel.training.sources import InMemory

LABELS = np.zeros((1000, 3), np.uint8)
LABELS[:900, 0] = LABELS[880:960, 1] = LABELS[990:995, 2] = (
    1  # frequent, rarer and in part together, rare; 30 have none
)


def test_each_class_is_drawn_equally_often():
    found = sampling.drawn(LABELS, seed=0, epoch=0)
    assert len(found) == 1000
    frequent, rarer, rare = LABELS[found].sum(axis=0)
    assert rare in (333, 334)
    assert 333 <= rarer < 333 + 30  # images of both come as one of the frequent, too
    assert 333 <= frequent < 333 + 120
    assert LABELS[found].any(axis=1).all()


def test_images_of_a_class_are_drawn_equally_often():
    found = np.concatenate([sampling.drawn(LABELS, seed=0, epoch=epoch) for epoch in range(100)])
    counts = np.bincount(found, minlength=1000)[990:995]
    assert counts.sum() == pytest.approx(100 * 1000 / 3, abs=100)
    np.testing.assert_allclose(counts, counts.mean(), rtol=0.05)


def test_an_epoch_is_a_function_of_seed_and_number():
    one, same, later, other = (sampling.drawn(LABELS, seed, epoch) for seed, epoch in [(0, 1), (0, 1), (0, 2), (1, 1)])
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, later)
    assert not np.array_equal(one, other)


def test_a_class_without_images_is_passed_over():
    assert set(sampling.drawn(np.array([[0, 1], [0, 0], [0, 1]]), 0, 0).tolist()) <= {0, 2}


def test_labels_are_needed():
    with pytest.raises(ValueError, match="balanced sampling: expected labels, found none"):
        sampling.drawn(np.zeros((2, 2)), 0, 0)


def test_validation_visits_each_sample_once():
    source = sampling.Balanced(InMemory(np.arange(1000), LABELS, seed=0))
    (chunk,) = source.chunks(None, 32)
    np.testing.assert_array_equal(chunk.order, np.arange(1000))
    (chunk,) = source.chunks(3, 32)
    np.testing.assert_array_equal(chunk.order, sampling.drawn(LABELS, 0, 3))
