"""Losses, observed labels, metrics and training against what the code of Cole et al. (2021) computed."""

import numpy as np
import pytest
import tensorflow as tf

from multilabel import metrics
from multilabel.experiments.single_positive import losses, observation
from multilabel.experiments.single_positive.metrics import at_k

KINDS = {np.float64: 1e-9, np.float32: 1e-5}


@pytest.fixture(scope="module")
def cases(parity):
    """Case → name → array."""
    stored = np.load(parity / "spml_losses.npz")
    found = {}
    for key in stored.files:
        case, name = key.split("/", 1)
        found.setdefault(case, {})[name] = stored[key]
    return found


def observed_of(case, loss):
    """What the loss sees, from what the fixture stores."""
    if loss in ("bce", "bce_ls"):
        return case["observed_clean"]
    if loss == "iu":
        return case["observed_single_and_negative"]
    single = case["observed_single"]
    return np.where(case["true"] == -1, -1, single) if loss == "iun" else single


def value_and_gradients(case, loss, kind):
    """The loss, and its gradients by the logits and, of ROLE, by the estimator's."""
    observed = tf.constant(observed_of(case, loss).astype(kind))
    variables = [tf.constant(case["logits"].astype(kind))]
    expected = float(case["expected_positives"])
    if loss == "role":
        variables.append(tf.constant(case["estimator_logits"].astype(kind)))
    with tf.GradientTape() as tape:
        tape.watch(variables)
        if loss == "role":
            value = losses.online_estimation(observed, *variables, expected)
        else:
            value = losses.objective(loss, expected)(observed, *variables, None)
    return value, tape.gradient(value, variables)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", losses.TITLES)
def test_losses_and_gradients_are_the_published_ones(cases, loss, kind):
    for name, case in cases.items():
        value, gradients = value_and_gradients(case, loss, kind)

        assert value.dtype == kind
        limit = {"rtol": 0, "atol": 1e-9} if kind is np.float64 else {"rtol": 1e-5, "atol": 0}
        np.testing.assert_allclose(value, case[f"{loss}/value"], **limit, err_msg=name)
        for variable, gradient in zip(("logits", "estimator_logits"), gradients, strict=False):
            expected = case[f"{loss}/grad_{variable}"]
            if kind is np.float32:  # of what would be 0, float32 leaves its rounding of the largest
                limit["atol"] = 1e-6 * np.abs(expected).max()
            np.testing.assert_allclose(gradient, expected, **limit, err_msg=f"{name} {variable}")


@pytest.mark.parametrize("loss", losses.TITLES)
def test_float32_is_as_near_to_the_published_float32_as_that_is_to_the_exact_value(cases, loss):
    for name, case in cases.items():
        value = float(value_and_gradients(case, loss, np.float32)[0])
        exact, published = float(case[f"{loss}/value"]), float(case[f"{loss}/value_float32"])
        assert abs(value - published) <= abs(exact - published) + 1e-6 * abs(exact), name


@pytest.mark.parametrize("split", ["train", "val"])
def test_observed_labels_are_the_published_ones(parity, split):
    stored = np.load(parity / "spml_observed_small.npz")
    labels = stored[f"{split}_labels"]

    assert (observation.draw(labels) == stored[f"{split}_observed"]).all()
    assert (observation.draw(labels, negatives=1) == stored[f"{split}_observed_one_negative"]).all()


def test_the_validation_split_is_the_published_one(parity):
    stored = np.load(parity / "spml_observed_small.npz")

    train, validation = observation.split(len(stored["train_labels"]))

    assert train.tolist() == stored["train_rows"].tolist()
    assert validation.tolist() == stored["validation_rows"].tolist()


def test_metrics_are_the_published_ones(parity):
    stored = np.load(parity / "spml_metrics.npz")
    truth, scores = stored["labels"], stored["scores"]

    found = metrics.average_precision_per_class(truth, scores)
    np.testing.assert_allclose(found, stored["average_precision"], rtol=0, atol=1e-9)
    assert 100 * metrics.mean_average_precision(truth, scores) == pytest.approx(float(stored["map"]), abs=1e-9)
    for key in stored.files:
        name, _, k = key.rpartition("_")
        if k.isdecimal():
            value = getattr(at_k(truth, scores, int(k)), {"rec_at": "recall", "prec_at": "precision"}.get(name, name))
            assert value == pytest.approx(float(stored[key]), abs=1e-9), key


def test_linear_init_starts_the_estimator_as_published(parity):
    stored = np.load(parity / "spml_trace.npz")

    found = losses.estimates_from(stored["linear_init/estimated_labels"])

    np.testing.assert_allclose(found, stored["linear_init/initial_estimator_logits"], rtol=1e-6, atol=1e-6)
