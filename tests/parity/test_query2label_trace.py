"""Three epochs of training Query2Label's transformer, against the authors' own: through the whole loop."""

import keras
import numpy as np
import pytest
from ordered import LAST, Ordered

from multilabel.experiments.query2label import transformer
from multilabel.networks import pytorch
from multilabel.networks.blocks import count
from multilabel.training import loop
from multilabel.training.adam import Adam
from multilabel.training.asymmetric import AsymmetricLoss
from multilabel.training.one_cycle import OneCycle
from multilabel.training.schedule import Schedule
from multilabel.training.sources import InMemory


def under(given, prefix):
    """The arrays whose keys begin with something, by the rest."""
    return {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}


def build(shapes, feature_map):
    """The transformer whose tensors have these shapes, without dropout."""
    inputs = keras.Input(feature_map)
    width, hidden = shapes["transformer.decoder.layers.0.linear2.weight"]
    options = {
        "classes": shapes["query_embed.weight"][0],
        "width": width,
        "feedforward": hidden,
        "encoder_layers": count(shapes, f"{transformer.ENCODER}.linear1.weight"),
        "decoder_layers": count(shapes, f"{transformer.DECODER}.linear1.weight"),
        "project": "input_proj.weight" in shapes,
    }
    return keras.Model(inputs, transformer.build(inputs, dropout=0.0, **options))


@pytest.fixture(scope="module")
def trained(arrays, tmp_path_factory):
    """What the authors' code came to, our model and the loop's state after the same training."""
    given = arrays("q2l_trace")
    initial, order = under(given, "initial/"), given["order"]
    x = np.ascontiguousarray(given["features"].transpose(0, 2, 3, 1))
    model = build({key: value.shape for key, value in initial.items()}, x.shape[1:])
    pytorch.load(model, initial, "q2l_trace.npz")
    epochs, steps, batch_size = order.shape
    cycle = OneCycle(25 * float(given["learning_rates"][0, 0]), epochs * steps)
    state = loop.fit(
        loop.Training(
            model,
            AsymmetricLoss(2.0, 0.0, 0.0),
            Adam(cycle.learning_rate, beta_1=cycle.beta_1, decay=1e-2),
            average=0.9997,
        ),
        Ordered(x, given["targets"], order),
        InMemory(x, given["targets"], 0),
        Schedule(epochs, None, 0.0, LAST),
        batch_size=batch_size,
        seed=0,
        folder=tmp_path_factory.mktemp("run"),
        key="k",
        report=lambda line: None,
    )
    return given, model, state


def seen(key, value):
    """All but the bias of keys: outputs do not depend on it, so its gradient is rounding, which Adam makes large."""
    return np.delete(value.reshape(3, -1), 1, axis=0) if key.endswith("in_proj_bias") else value


def test_losses(trained):
    given, _, state = trained
    assert [row["loss"] for row in state.history] == pytest.approx(given["step_losses"].mean(axis=1), rel=1e-6)


@pytest.mark.parametrize("which", ["final", "ema"])
def test_weights(trained, which):
    given, model, state = trained
    if which == "ema":
        for weight, average in zip(state.variables["weights"], state.variables["average"], strict=True):
            weight.assign(average.value)
    found = pytorch.state(model)
    for key, value in under(given, f"{which}/").items():
        np.testing.assert_allclose(seen(key, found[key]), seen(key, value), rtol=0, atol=1e-5, err_msg=key)
