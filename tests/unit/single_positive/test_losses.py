import numpy as np
import pytest
import tensorflow as tf

from multilabel.experiments.single_positive import losses
from multilabel.experiments.single_positive.metrics import at_k, scored
from multilabel.experiments.single_positive.runs import LOSSES

OBSERVED = tf.constant([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
LOGITS = tf.constant([[0.0, 2.0, -1.0], [1.0, -3.0, 40.0]])


@pytest.mark.parametrize("loss", sorted(set(LOSSES) - {"role"}))
def test_no_logit_is_so_extreme_that_a_loss_or_its_gradient_is_not_finite(loss):
    logits = tf.constant([[200.0, -200.0, 200.0], [-200.0, 200.0, -200.0]])

    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = losses.objective(loss, 1.5)(OBSERVED, logits, None)

    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, logits)).all()


def test_the_hinge_of_pr_never_bends_so_its_closed_form_is_the_sum_over_pairs():
    p = tf.sigmoid(LOGITS).numpy()
    pairs = [max(0, 1 - p[n, i] + p[n, j]) for n, i in ((0, 0), (1, 1)) for j in range(3) if OBSERVED[n, j] == 0]

    assert float(losses.pairwise_ranking(OBSERVED, LOGITS)) == pytest.approx(sum(pairs) / 6)


def test_estimates_start_near_even_where_nothing_was_observed():
    observed = np.array([[1, 0, -1], [0, 0, 0]], np.int8)

    estimates = 1 / (1 + np.exp(-losses.initial_estimates(observed, seed=3)))

    assert estimates[0, [0, 2]] == pytest.approx([0.995, 0.005], abs=1e-6)
    assert ((estimates >= 0.4 - 1e-6) & (estimates <= 0.6 + 1e-6))[observed == 0].all()
    assert (losses.initial_estimates(observed, seed=3) == losses.initial_estimates(observed, seed=3)).all()


def test_only_the_rows_of_a_batch_give_the_estimator_a_gradient():
    objective = losses.objective("role", 1.5, np.zeros((5, 3), np.float32))
    with tf.GradientTape() as tape:
        value = objective(OBSERVED, LOGITS, tf.constant([3, 1]))
    gradient = tf.convert_to_tensor(tape.gradient(value, objective.variables[0].value)).numpy()

    assert (gradient[[3, 1]] != 0).any(axis=1).all()
    assert (gradient[[0, 2, 4]] == 0).all()


def test_an_unknown_loss_and_role_without_estimates_are_named():
    with pytest.raises(ValueError, match=r"expected one of bce, .*found 'focal'"):
        losses.objective("focal", 1.5)
    with pytest.raises(ValueError, match="role: expected initial estimates"):
        losses.objective("role", 1.5)


@pytest.mark.parametrize("k", [0, -1, 4])
def test_a_k_that_cannot_be_is_named(k):
    with pytest.raises(ValueError, match=f"k: expected 1 to the number of labels, 3, found {k}"):
        at_k(np.ones((2, 3)), np.zeros((2, 3)), k)


def test_a_row_without_labels_counts_0():
    assert at_k([[0, 0], [1, 0]], [[0.5, 0.1], [0.5, 0.1]], 1) == (0.5, 0.5, 0.5)


def test_the_published_code_drops_the_last_batch_where_it_is_short():
    assert (scored(40137, 8), scored(40137, 16), scored(32, 16)) == (40136, 40128, 32)
