import h5py
import numpy as np
import pytest
import tensorflow as tf

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.designs import forum, names


def write_features(path, image_id, features):
    with h5py.File(path, "w") as file:
        file["image_id"], file["features"] = np.asarray(image_id), np.asarray(features, np.float32)
    return path


def test_features_of_several_files_come_in_the_order_of_the_labels(tmp_path):
    files = [
        write_features(tmp_path / "a.h5", [3, 1], [[3, 3], [1, 1]]),
        write_features(tmp_path / "b.h5", [7, 9], [[7, 7], [9, 9]]),
    ]
    LabelMatrix([9, 1, 5], "abc", ("cat", "dog"), [[1, 0], [0, 1], [1, 1]]).save(tmp_path / "labels.h5")
    found = forum.load(files, tmp_path / "labels.h5")
    assert found.image_id.tolist() == [9, 1]  # 5 has no features
    assert found.x.tolist() == [[9, 9], [1, 1]]
    assert found.y.tolist() == [[1, 0], [0, 1]]


def test_features_of_other_images_are_an_error(tmp_path):
    LabelMatrix([9], "a", ("cat",), [[1]]).save(tmp_path / "labels.h5")
    with pytest.raises(ValueError, match=r"a\.h5: expected features of the images of .*labels\.h5"):
        forum.load([write_features(tmp_path / "a.h5", [1], [[0]])], tmp_path / "labels.h5")


def test_a_network_per_label_shares_nothing():
    model = forum.build(3, 4, 5, True, seed=0)
    assert model.output_shape == (None, 4)
    x = tf.constant(np.random.default_rng(0).normal(size=(6, 3)), tf.float32)
    with tf.GradientTape() as tape:
        second = tf.reduce_sum(model(x)[:, 1])
    hidden, _, outputs, _ = tape.gradient(second, model.trainable_variables)
    moved = np.abs(hidden.numpy()).sum(axis=0).reshape(4, 5)
    assert moved[1].any()
    assert not moved[[0, 2, 3]].any()
    assert not outputs.numpy()[[0, 2, 3]].any()


def test_a_network_per_label_starts_as_a_network_of_that_size():
    one, shared = forum.build(30, 8, 20, True, seed=0), forum.build(30, 8, 20, False, seed=0)
    limits = [np.abs(model.get_layer("hidden").kernel.numpy()).max() for model in (one, shared)]
    np.testing.assert_allclose(limits, (6 / 50) ** 0.5, rtol=0.02)


@pytest.mark.parametrize("output", names.OUTPUTS)
def test_each_output_learns_with_each_seed(output, tmp_path):
    rng = np.random.default_rng(0)
    y = (rng.random((60, 3)) < 0.4).astype(np.uint8)
    samples = forum.Samples(np.arange(60), (4 * y + rng.normal(size=y.shape)).astype(np.float32), y)
    forum.train(
        output,
        2,
        train=samples,
        validation=samples,
        evaluated={"test": samples},
        settings={"hidden": 8, "epochs": 2, "batch_size": 10, "learning_rate": 0.02, "seed": 0},
        record={},
        folder=tmp_path / "runs",
        scores=tmp_path / "scores",
    )
    found = [
        predictions.load(tmp_path / "scores" / names.features_run_of(output, number) / "test.h5") for number in (0, 1)
    ]
    assert found[0][0].tolist() == list(range(60))
    assert not np.array_equal(found[0][1], found[1][1])
    assert found[0][1][y == 1].mean() > found[0][1][y == 0].mean()
