import keras
import numpy as np
import pytest

from multilabel.experiments.query2label import transformer

OPTIONS = {"classes": 5, "width": 16, "feedforward": 24, "heads": 4}


def made(shape=(3, 4, 16), **options):
    keras.utils.set_random_seed(1)
    feature_map = keras.Input(shape)
    return keras.Model(feature_map, transformer.build(feature_map, **{**OPTIONS, **options}), name="query2label")


def maps(shape=(3, 4, 16), count=2):
    return np.random.default_rng(0).standard_normal((count, *shape)).astype(np.float32)


def test_each_label_has_one_logit():
    assert made()(maps()).shape == (2, 5)


def test_the_projection_is_there_where_the_widths_differ_or_where_it_is_asked_for():
    def projected(**options):
        return any(layer.name == "input_proj" for layer in made(**options).layers)

    assert projected(shape=(3, 4, 20))
    assert projected(project=True)
    assert not projected()


def test_channels_that_differ_from_the_width_are_an_error_without_projection():
    with pytest.raises(ValueError, match="expected a width of 20, as the feature map has, or a projection; found 16"):
        made(shape=(3, 4, 20), project=False)


@pytest.mark.parametrize("options", [{"width": 18, "heads": 2}, {"width": 16, "heads": 3}])
def test_a_width_that_cannot_be_divided_is_an_error(options):
    with pytest.raises(ValueError, match=f"expected a width that 4 and the .* heads divide, found {options['width']}"):
        made(**options)


def test_the_position_tells_rows_in_its_first_half_and_columns_in_its_second():
    position = transformer.sine_position(3, 4, 16)[0]
    assert (position[:8] == position[:8, :, :1]).all()
    assert (position[8:] == position[8:, :1]).all()
    assert position[0, 0, 0] == pytest.approx(np.sin(2 * np.pi / 3), abs=1e-5)
    assert position[1, 0, 0] == pytest.approx(np.cos(2 * np.pi / 3), abs=1e-5)


def test_attention_of_a_label_adds_up_to_one_over_the_map():
    network = made(decoder_layers=3)
    logits, attention = transformer.with_attention(network)(maps())
    assert attention.shape == (2, 3, 5, 3, 4)
    np.testing.assert_allclose(np.asarray(attention).sum((-1, -2)), 1, atol=1e-6)
    np.testing.assert_array_equal(logits, network(maps()))


def test_a_label_that_asks_for_what_one_place_shows_looks_there():
    """Keys as the memory is, a query along one direction, and one place of the map that shows it."""
    network = made(shape=(3, 4, 16), encoder_layers=0, decoder_layers=1, heads=1)
    decoder = network.get_layer(transformer.DECODER.format(0))
    direction = np.eye(16, dtype=np.float32)[15]
    decoder.parameters["multihead_attn.in_proj_weight"].assign(np.concatenate([np.eye(16)] * 3))
    network.get_layer(transformer.POSITION).parameters["pe"].assign(np.zeros((1, 16, 3, 4)))
    network.get_layer(transformer.QUERIES).parameters["weight"].assign(np.tile(40 * direction, (5, 1)))
    seen = np.zeros((1, 3, 4, 16), np.float32)
    seen[0, 2, 1] = direction
    attention = np.asarray(transformer.with_attention(network)(seen)[1])
    assert attention[0, 0, :, 2, 1].min() > 0.99


def test_dropout_acts_in_training_only():
    network = made(dropout=0.5)
    np.testing.assert_array_equal(network(maps(), training=False), network(maps(), training=False))
    assert not np.allclose(network(maps(), training=True), network(maps(), training=False))


def test_without_dropout_training_computes_the_same():
    network = made(dropout=0.0)
    np.testing.assert_allclose(network(maps(), training=True), network(maps(), training=False), atol=1e-6)


def test_everything_but_the_position_is_trained():
    network = made(shape=(3, 4, 20))
    names = {variable.path for variable in network.weights} - {variable.path for variable in network.trainable_weights}
    assert names == {"backbone.1/pe"}


def test_training_steps_lower_the_loss():
    network = made(dropout=0.0)
    network.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    truth = np.random.default_rng(1).integers(0, 2, (8, 5)).astype(np.float32)
    losses = network.fit(maps(count=8), truth, epochs=12, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_mixed_precision_is_close_to_float32():
    wanted = made()(maps())
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = made()(maps())
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(np.asarray(found, np.float32), wanted, atol=0.1)


def test_weights_and_whole_models_are_saved_and_read_again(tmp_path):
    network, other = made(), made(classes=5)
    for variable in other.trainable_variables:
        variable.assign(variable + 1)
    other.save_weights(tmp_path / "x.weights.h5")
    network.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(network(maps()), other(maps()))
    network.save(tmp_path / "x.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "x.keras")(maps()), other(maps()))
