import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from multilabel.training import linear

PENALTIES = ("l1", "l2")


def objective(penalty, weights, intercept, x, positive, c):
    """Written anew from liblinear's paper, for one label."""
    w = np.append(weights, intercept)
    loss = np.logaddexp(0, -np.where(positive, 1, -1) * (x @ weights + intercept)).sum()
    return (np.abs(w).sum() if penalty == "l1" else w @ w / 2) + c * loss


def liblinear_objectives(penalty, x, truth, c):
    result = []
    for positive in truth.T:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it does not converge is no matter: ours must only not be above it
            peer = LogisticRegression(
                solver="liblinear", l1_ratio=float(penalty == "l1"), C=c, tol=1e-10, max_iter=3000, random_state=0
            ).fit(x, positive)
        result.append(objective(penalty, peer.coef_[0], peer.intercept_[0], x, positive, c))
    return np.array(result)


def labels(rng, n_images, n_labels):
    """Every label has at least one image and lacks at least one."""
    truth = (rng.random((n_images, n_labels)) < rng.uniform(0.05, 0.95, n_labels)).astype(np.uint8)
    truth[0], truth[1] = 0, 1
    return truth


def features(kind, n_images, n_features, rng):
    x = rng.standard_normal((n_images, n_features))
    if kind == "half zero":
        return np.maximum(x, 0)
    if kind == "correlated":
        return x[:, :1] + 0.1 * x
    if kind == "constant column":
        x[:, 0] = 3.0
    if kind == "zero column":
        x[:, 0] = 0.0
    if kind == "duplicated columns":
        return np.repeat(x, 2, axis=1)
    if kind == "large":
        return 1000 * np.maximum(x, 0)
    if kind == "columns of different size":
        return x * 10.0 ** rng.uniform(-2, 2, n_features)
    return x


KINDS = (
    "normal",
    "half zero",
    "correlated",
    "constant column",
    "zero column",
    "duplicated columns",
    "large",
    "columns of different size",
)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(60, 20), (40, 300)])
def test_the_objective_is_not_above_liblinears(penalty, kind, shape):
    rng = np.random.default_rng(0)
    x, truth = features(kind, *shape, rng), labels(rng, shape[0], 3)
    model = linear.fit(x, truth, penalty=penalty, c=1.0)
    assert (model.objective <= liblinear_objectives(penalty, x, truth, 1.0) * (1 + 1e-5)).all()


@pytest.mark.parametrize("penalty", PENALTIES)
@settings(max_examples=40)
@given(data=st.data())
def test_any_shape_and_c_reach_liblinears_objective(penalty, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    shape = data.draw(st.tuples(st.integers(3, 40), st.integers(1, 60)))
    c = data.draw(st.sampled_from([1e-4, 0.01, 0.3, 1.0, 10.0]))
    x, truth = features(data.draw(st.sampled_from(KINDS[:6])), *shape, rng), labels(rng, shape[0], 2)
    model = linear.fit(x, truth, penalty=penalty, c=c)
    peer = liblinear_objectives(penalty, x, truth, c)
    assert (model.objective <= peer * (1 + 1e-4)).all()
    assert (model.gap <= 1e-5).all()


@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_objective_is_that_of_the_weights(penalty):
    rng = np.random.default_rng(1)
    x, truth = features("half zero", 50, 80, rng), labels(rng, 50, 3)
    model = linear.fit(x, truth, penalty=penalty, c=0.7)
    expected = [objective(penalty, model.weights[:, j], model.intercept[j], x, truth[:, j], 0.7) for j in range(3)]
    np.testing.assert_allclose(model.objective, expected, rtol=1e-12)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("tolerance", [0.3, 1e-2, 1e-4])
def test_the_gap_bounds_the_distance_from_the_minimum(penalty, tolerance):
    rng = np.random.default_rng(2)
    x, truth = features("half zero", 50, 120, rng), labels(rng, 50, 4)
    model = linear.fit(x, truth, penalty=penalty, c=1.0, tolerance=tolerance)
    minimum = linear.fit(x, truth, penalty=penalty, c=1.0, tolerance=1e-7).objective
    assert (model.gap <= tolerance).all()
    assert (model.objective * (1 - model.gap) <= minimum).all()
    assert (model.objective >= minimum * (1 - 1e-7)).all()


def gradient(model, x, truth, c):
    """Of the loss, one row per feature, the intercept's last."""
    sign = np.where(truth, 1, -1)
    p = 1 / (1 + np.exp(sign * linear.scores(model, x)))
    return -c * np.column_stack([x, np.ones(len(x))]).T @ (sign * p)


def test_l1_weights_meet_the_conditions_of_a_minimum():
    rng = np.random.default_rng(3)
    x, truth = features("half zero", 60, 200, rng), labels(rng, 60, 3)
    model = linear.fit(x, truth, penalty="l1", c=1.0, tolerance=1e-7)
    w = np.vstack([model.weights, model.intercept])
    g = gradient(model, x, truth, 1.0)
    assert (np.abs(g) <= 1 + 1e-4).all()
    np.testing.assert_allclose(g[w != 0], -np.sign(w[w != 0]), atol=1e-3)
    assert 0 < (w != 0).sum() < 3 * 60


@pytest.mark.parametrize("shape", [(60, 20), (40, 300)])
def test_l2_weights_are_minus_the_gradient_of_the_loss(shape):
    rng = np.random.default_rng(4)
    x, truth = features("normal", *shape, rng), labels(rng, shape[0], 3)
    model = linear.fit(x, truth, penalty="l2", c=1.0, tolerance=1e-12)
    np.testing.assert_allclose(np.vstack([model.weights, model.intercept]), -gradient(model, x, truth, 1.0), atol=1e-6)


def test_one_feature_without_effect_of_the_intercept_by_hand():
    # Two images, x = ±1, of opposite labels. By symmetry b = 0 and |w| + 2 c log(1 + e^−w) has its minimum where
    # 2 c / (1 + e^w) = 1: w = log(2 c − 1).
    model = linear.fit([[1.0], [-1.0]], [[1], [0]], penalty="l1", c=3.0, tolerance=1e-9)
    assert model.weights[0, 0] == pytest.approx(np.log(5), abs=1e-4)
    assert model.intercept[0] == pytest.approx(0, abs=1e-6)


def test_all_weights_are_exactly_0_where_c_is_too_small_for_any():
    rng = np.random.default_rng(5)
    x, truth = rng.standard_normal((30, 50)), labels(rng, 30, 2)
    model = linear.fit(x, truth, penalty="l1", c=1e-3)
    assert not model.weights.any()
    assert not model.intercept.any()
    assert not model.iterations.any()


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("solver", ["own", "liblinear"])
def test_a_label_of_no_or_of_all_images_has_constant_scores(penalty, solver):
    rng = np.random.default_rng(6)
    x = rng.standard_normal((8, 5))
    truth = np.column_stack([np.zeros(8), labels(rng, 8, 1), np.ones(8)])
    model = linear.fit(x, truth, penalty=penalty, c=1.0, solver=solver)
    np.testing.assert_allclose(linear.probabilities(model, x)[:, [0, 2]], [[1 / 10, 9 / 10]] * 8, rtol=1e-12)
    assert not model.weights[:, [0, 2]].any()
    assert model.weights[:, 1].any()
    np.testing.assert_array_equal(model.gap[[0, 2]], 0)


def test_labels_that_are_all_constant_leave_nothing_to_fit():
    model = linear.fit(np.eye(3), np.zeros((3, 2)), penalty="l1", c=1.0)
    np.testing.assert_allclose(model.intercept, -np.log(4))


@pytest.mark.parametrize("penalty", PENALTIES)
def test_labels_do_not_influence_each_other(penalty):
    rng = np.random.default_rng(7)
    x, truth = features("half zero", 40, 100, rng), labels(rng, 40, 3)
    together = linear.fit(x, truth, penalty=penalty, c=1.0, tolerance=1e-7)
    alone = linear.fit(x, truth[:, 1:2], penalty=penalty, c=1.0, tolerance=1e-7)
    np.testing.assert_allclose(together.weights[:, 1:2], alone.weights, atol=1e-4)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_same_call_gives_the_same_bits(penalty):
    rng = np.random.default_rng(8)
    x, truth = features("half zero", 60, 500, rng), labels(rng, 60, 4)
    first, second = (linear.fit(x, truth, penalty=penalty, c=1.0) for _ in range(2))
    np.testing.assert_array_equal(first.weights, second.weights)
    np.testing.assert_array_equal(first.intercept, second.intercept)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_single_precision_features_are_fitted_in_double(penalty):
    rng = np.random.default_rng(9)
    x, truth = features("half zero", 30, 60, rng).astype(np.float32), labels(rng, 30, 2)
    model = linear.fit(x, truth, penalty=penalty, c=1.0)
    np.testing.assert_array_equal(
        model.weights, linear.fit(x.astype(np.float64), truth, penalty=penalty, c=1.0).weights
    )
    assert model.weights.dtype == np.float64


@pytest.mark.parametrize("penalty", PENALTIES)
def test_liblinear_fits_the_same_model(penalty):
    rng = np.random.default_rng(10)
    x, truth = features("half zero", 50, 30, rng), labels(rng, 50, 3)
    own, peer = (linear.fit(x, truth, penalty=penalty, c=1.0, solver=solver) for solver in ("own", "liblinear"))
    np.testing.assert_allclose(own.objective, peer.objective, rtol=1e-5)
    np.testing.assert_allclose(linear.scores(own, x), linear.scores(peer, x), atol=0.02)
    assert (peer.gap <= 1e-5).all()
    assert peer.iterations.min() > 0


def test_probabilities_are_the_logistic_function_of_the_scores():
    model = linear.LinearModel(np.array([[2.0]]), np.array([1.0]), np.zeros(1), np.zeros(1), np.zeros(1, np.int64))
    np.testing.assert_array_equal(linear.scores(model, [[1.0], [-0.5]]), [[3.0], [0.0]])
    np.testing.assert_allclose(linear.probabilities(model, [[1.0], [-0.5]]), [[1 / (1 + np.exp(-3))], [0.5]])


def test_an_unreached_tolerance_is_warned_of():
    rng = np.random.default_rng(11)
    x, truth = features("half zero", 30, 40, rng), labels(rng, 30, 8)
    with pytest.warns(RuntimeWarning, match="of 8 labels did not reach the gap 1e-18, the worst is label"):
        linear.fit(x, truth, penalty="l2", c=1.0, tolerance=1e-18)


def test_progress_is_reported():
    lines = []
    rng = np.random.default_rng(12)
    linear.fit(rng.random((20, 5)), labels(rng, 20, 2), penalty="l1", c=1.0, report=lines.append)
    assert lines[0].startswith("L1 round 0: ")
    assert lines[-1].startswith("2 of 2 labels fitted, ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.ones((3, 2))}, "as many rows in x as in truth, found x 3, truth 4"),
        ({"x": np.ones(4)}, "a matrix of images × features, not empty, found shape (4,)"),
        ({"x": np.ones((4, 0))}, "not empty, found shape (4, 0)"),
        ({"x": np.array([[1.0], [np.nan], [np.inf], [0.0]])}, "found 2 others, the first in row 1, column 0: nan"),
        ({"x": np.array([["a"]] * 4)}, "x: expected real numbers, found the type <U1"),
        (
            {"truth": np.array([[0], [1], [2], [-1]])},
            "truth: expected only 0 and 1, found 2 other values such as -1, 2",
        ),
        ({"truth": np.ones(4)}, "truth: expected a matrix"),
        ({"penalty": "l3"}, "penalty: expected one of l1, l2, found 'l3'"),
        ({"solver": "saga"}, "solver: expected one of own, liblinear, found 'saga'"),
        ({"c": 0.0}, "c: expected a finite number above 0, found 0.0"),
        ({"c": np.inf}, "c: expected a finite number above 0, found inf"),
        ({"tolerance": -1.0}, "tolerance: expected a finite number above 0, found -1.0"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    call = {"x": np.ones((4, 2)), "truth": np.array([[0], [1], [0], [1]]), "penalty": "l1", "c": 1.0} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        linear.fit(call.pop("x"), call.pop("truth"), **call)


def test_scores_need_the_models_features():
    model = linear.fit(np.eye(3), np.eye(3), penalty="l2", c=1.0)
    with pytest.raises(ValueError, match="expected the model's 3 features, found 2"):
        linear.scores(model, np.ones((1, 2)))


@pytest.mark.parametrize("seed", [50, 57])
def test_l1_reaches_the_gap_where_features_have_very_different_units(seed):
    """With these the weights were the best ones long before the dual point that follows from them was near enough."""
    rng = np.random.default_rng(seed)
    causes = rng.standard_normal((300, 10))
    x = np.maximum(causes @ rng.standard_normal((10, 100)) + 0.3 * rng.standard_normal((300, 100)), 0)
    x *= np.exp(2 * rng.standard_normal(100))
    margin = causes @ rng.standard_normal((10, 4)) + 0.5 * rng.standard_normal((300, 4))
    truth = (margin > np.quantile(margin, 0.8, axis=0)).astype(np.uint8)
    model = linear.fit(x, truth, penalty="l1", c=10.0)
    assert model.gap.max() <= 1e-5
    assert model.iterations.max() < 1000
