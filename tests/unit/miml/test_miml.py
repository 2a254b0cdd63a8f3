import json

import h5py
import numpy as np
import pandas as pd
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.miml import measures, protocol, tables
from multilabel.networks import backbones

SETTINGS = {"share": 2 / 3, "c": 1.0, "solver": "own", "seed": 3}


def made(tmp_path, truth, x):
    """Paths of a feature file and a label file."""
    ids = np.arange(1, len(truth) + 1)
    names = tuple(f"{number}.png" for number in ids)
    classes = tuple(f"class {label}" for label in range(truth.shape[1]))
    LabelMatrix(ids, names, classes, truth).save(tmp_path / "labels.h5")
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["image_id"], file["features"] = ids, x.astype(np.float32)
        file.attrs["provenance"] = json.dumps({"blocks": {"late": [3, 8], "early": [0, 3]}})
    return tmp_path / "features.h5", tmp_path / "labels.h5"


@pytest.fixture
def samples(tmp_path):
    """90 images whose three labels show in the last features alone."""
    rng = np.random.default_rng(0)
    x = rng.gamma(1.0, size=(90, 8))
    return protocol.load(*made(tmp_path, (x[:, 5:] > 1).astype(np.uint8), x))


@pytest.fixture
def scores_of(samples, tmp_path):
    """Give the metrics of some splits, by way of files as jobs write them."""

    def scored(*jobs, sizes=(20,), **settings):
        paths = [tmp_path / f"decisions_{number}.h5" for number in range(len(jobs))]
        for path, numbers in zip(paths, jobs, strict=True):
            found, _ = protocol.evaluate(samples, numbers, sizes=sizes, **{**SETTINGS, **settings})
            protocol.save_values(path, found)
        return measures.measured(paths, tmp_path / "labels.h5")

    return scored


def test_two_thirds_train_and_the_rest_tests():
    train, test = protocol.split_rows(591, 2 / 3, seed=0, number=0)
    assert (len(train), len(test)) == (394, 197)
    assert sorted([*train, *test]) == list(range(591))


def test_a_split_depends_on_its_number_alone():
    assert (
        protocol.split_rows(50, 0.5, seed=1, number=4)[0] == protocol.split_rows(50, 0.5, seed=1, number=4)[0]
    ).all()
    assert (
        protocol.split_rows(50, 0.5, seed=1, number=4)[0] != protocol.split_rows(50, 0.5, seed=1, number=5)[0]
    ).any()


def test_blocks_are_in_the_order_of_their_columns(samples):
    assert dict(samples.blocks) == {"early": (0, 3), "late": (3, 8)}
    assert list(samples.blocks) == ["early", "late"]


def test_each_split_has_a_row_per_classifier_and_size(scores_of):
    scores = scores_of([0, 5], sizes=[20, 40, 1000])
    counts = scores.groupby(["split", "classifier"])["images"].apply(list)
    assert set(counts.index) == {(split, name) for split in (0, 5) for name in ("VGG+L1LR", "VGG+LR")}
    assert all(sizes == [20, 40, 60] for sizes in counts)


def test_jobs_of_some_splits_make_what_one_job_makes(scores_of):
    pd.testing.assert_frame_equal(scores_of([0, 1, 2]), scores_of([0], [1, 2]))


def test_both_solvers_agree(scores_of):
    own, liblinear = scores_of([0], sizes=[]), scores_of([0], sizes=[], solver="liblinear")
    pd.testing.assert_frame_equal(own, liblinear, atol=0.02)


def test_the_l1_penalty_chooses_where_the_labels_show(samples):
    _, chosen = protocol.evaluate(samples, range(3), sizes=[], **SETTINGS)
    table = tables.chosen_by_block(chosen, samples.blocks)
    assert table.loc["late", "share of chosen"] > 0.6
    assert table["features"].tolist() == [3, 5]
    assert table["share of chosen"].sum() == pytest.approx(1)


def test_a_class_with_one_image_is_named(tmp_path):
    truth = np.ones((10, 2), np.uint8)
    truth[1:, 1] = 0
    with pytest.raises(ValueError, match=r"labels.h5: expected at least 2 images of each class.*class 1 \(1\)"):
        protocol.load(*made(tmp_path, truth, np.ones((10, 8))))


def test_table_1_has_published_rows_and_ours(scores_of):
    scores = scores_of(range(3))
    table, shown = tables.comparison(scores, tables.published()["msrc"])
    assert len(shown) == 10
    assert shown.iloc[0].tolist() == [
        "Published",
        "VGG+L1LR",
        *["0.933 ± 0.010", "0.102 ± 0.006", "0.033 ± 0.003", "0.060 ± 0.017", "0.018 ± 0.003"],
    ]
    full = scores[(scores["images"] == 60) & (scores["classifier"] == "VGG+LR")]["coverage"]
    ours = table[(table["group"] == "This project") & (table["method"] == "VGG+LR") & (table["metric"] == "coverage")]
    assert ours[["mean", "std"]].to_numpy().tolist() == [[full.mean(), full.std(ddof=0)]]


def test_a_dataset_that_nobody_published_on_has_our_rows_alone(scores_of):
    scores = scores_of([0, 1], sizes=[])
    assert tables.comparison(scores, None)[1]["method"].tolist() == ["VGG+L1LR", "VGG+LR"]
    assert tables.best_published(None) == {}


def test_the_best_published_method_is_not_the_papers_own():
    best = tables.best_published(tables.published()["msrc"])
    assert best == {
        "average precision": 0.688,
        "coverage": 0.238,
        "Hamming loss": 0.084,
        "one error": 0.295,
        "ranking loss": 0.107,
    }


def test_vgg16_gives_the_papers_9984_numbers_in_its_order():
    base = backbones.build("VGG16", top=True)
    network, columns = backbones.with_blocks(base, [f"block{number}_pool" for number in range(1, 6)], "fc2")
    assert list(columns.values()) == [(0, 256), (256, 768), (768, 1792), (1792, 3840), (3840, 5888), (5888, 9984)]
    pixels = np.random.default_rng(0).normal(0, 50, (2, 224, 224, 3)).astype(np.float32)
    found = network(pixels, training=False).numpy()

    x, expected = pixels, []
    for layer in base.layers[1:-1]:
        x = layer(x)
        if layer.name.endswith("_pool"):
            kept = np.asarray(x)
            half = kept.shape[1] // 2
            for rows in (slice(half), slice(half, None)):
                for side in (slice(half), slice(half, None)):
                    expected.append(kept[:, rows, side].max(axis=(1, 2)))
    expected.append(np.asarray(x))
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-5, atol=1e-6)


def test_of_an_odd_side_the_first_half_is_the_smaller():
    base = backbones.build("VGG16", width=0.125, input_size=96)
    _, columns = backbones.with_blocks(base, ["block5_pool"], "average")
    assert columns == {"block5_pool": (0, 256), "average": (256, 320)}
    feature_map = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    assert np.asarray(backbones._quadrants(feature_map)).tolist() == [[0, 2, 6, 8]]


@pytest.mark.parametrize(
    ("blocks", "bag", "message"),
    [
        (["block9_pool"], "average", "blocks: .* has no layer 'block9_pool'; near: block"),
        (["block1_pool"], "fc2", "bag: .* has no layer 'fc2'"),
        (["block1_pool"], "block2_pool", "bag: expected a vector N×D; layer block2_pool"),
        (["block5_pool"], "average", "blocks: a map of 1×1 has no four quadrants"),
    ],
)
def test_a_wrong_layer_is_named(blocks, bag, message):
    base = backbones.build("VGG16", width=0.0625, input_size=32)
    with pytest.raises(ValueError, match=message):
        backbones.with_blocks(base, blocks, bag)
