"""Losses, observed labels, metrics and training against what the code of Cole et al. (2021) computed."""

import numpy as np
import pytest
import tensorflow as tf

from multilabel.evaluation import metrics
from multilabel.experiments.single_positive import losses, observation
from multilabel.experiments.single_positive.metrics import at_k
from multilabel.experiments.single_positive.runs import LOSSES
from multilabel.experiments.single_positive.samples import linear_model
from multilabel.training import loop
from multilabel.training.adam import Adam
from multilabel.training.schedule import Criterion, Schedule
from multilabel.training.sources import Chunk

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
@pytest.mark.parametrize("loss", LOSSES)
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


@pytest.mark.parametrize("loss", LOSSES)
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


class InOrder:
    """The rows of each epoch in the order of the fixture."""

    def __init__(self, x, y, order):
        self.x, self.y, self.order = tf.constant(x), tf.constant(y), order

    def chunks(self, epoch, batch_size):
        order = np.arange(len(self.y)) if epoch is None else self.order[epoch].ravel().astype(np.int64)
        yield Chunk(self.x, self.y, order)


def trained(stored, loss, folder):
    """What the training loop makes of the trace's start: log, classifier and, of ROLE, the estimator's logits."""
    x, labels, order = stored["features"], stored["labels"], stored["order"]
    model = linear_model(x.shape[1], labels.shape[1], seed=0)
    model.set_weights([stored[f"{loss}/initial_weight"].T, stored[f"{loss}/initial_bias"]])
    expected = float(stored["expected_positives"])
    objective = losses.objective(loss, expected, stored[f"{loss}/initial_estimator_logits"])
    rate, factor = float(stored["lr"]), float(stored["estimator_lr"]) / float(stored["lr"])
    if loss == "role":
        assert objective.learning_rate_factor == pytest.approx(factor)
    state = loop.fit(
        loop.Training(model, objective, Adam(rate), validation_objective=losses.objective("bce", expected)),
        InOrder(x, stored["observed"], order),
        InOrder(x, labels, order),
        Schedule(len(order), None, 0.0, Criterion("epoch", lowest=False)),  # the last epoch's weights stay
        batch_size=int(stored["batch_size"]),
        seed=0,
        folder=folder,
        key="trace",
        report=lambda line: None,
    )
    return state.history, model, [variable.numpy() for variable in objective.variables]


@pytest.mark.parametrize("loss", ["an", "epr", "role"])
def test_three_epochs_of_the_training_loop_end_where_the_published_code_ends(parity, loss, tmp_path):
    stored = np.load(parity / "spml_trace.npz")

    history, model, owned = trained(stored, loss, tmp_path)

    weight, bias = model.get_weights()
    np.testing.assert_allclose(weight.T, stored[f"{loss}/float64/final_weight"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(bias, stored[f"{loss}/float64/final_bias"], rtol=0, atol=1e-5)
    means = stored[f"{loss}/float64/step_losses"].mean(axis=1)
    np.testing.assert_allclose([row["loss"] for row in history], means, rtol=1e-5)
    if loss == "role":
        np.testing.assert_allclose(owned[0], stored["role/float64/final_estimator_logits"], rtol=0, atol=1e-3)
    else:
        assert owned == []


@pytest.mark.parametrize("loss", ["an", "epr", "role"])
def test_the_trained_models_have_the_published_metrics(parity, loss, tmp_path):
    stored = np.load(parity / "spml_trace.npz")
    published = dict(str(line).split("=") for line in stored[f"{loss}/final_metrics"])

    model = trained(stored, loss, tmp_path)[1]
    scores = tf.sigmoid(model(stored["features"])).numpy()

    assert 100 * metrics.mean_average_precision(stored["labels"], scores) == pytest.approx(
        float(published["map"]), abs=0.05
    )
    for k in (1, 3, 5):
        found = at_k(stored["labels"], scores, k)
        for name, value in (("prec_at", found.precision), ("rec_at", found.recall), ("top", found.top)):
            assert value == pytest.approx(float(published[f"{name}_{k}"]), abs=0.01)
