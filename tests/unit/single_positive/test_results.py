"""Files that training starts from, and what its results are made into."""

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive import features, hidden, observation, prepare, results, tables
from multilabel.experiments.single_positive.observation import Observed
from multilabel.experiments.single_positive.runs import LOSSES, Study
from multilabel.report import verdicts

CLASSES = ("a", "b", "c", "d")


def matrix(count, seed, first=0):
    """Labels of some images; that in row 2 has none."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, len(CLASSES))) < 0.4).astype(np.uint8)
    labels[np.arange(count), rng.integers(0, len(CLASSES), count)] = 1
    labels[2] = 0
    ids = first + np.arange(count)
    return LabelMatrix(ids, [f"{number}.jpg" for number in ids], CLASSES, labels)


@pytest.fixture
def written(tmp_path):
    """A function that writes what training starts from, and gives the folder."""

    def write(classes=CLASSES, ks=(1,), own=None, **options):
        matrix(30, 0, first=95).save(tmp_path / "train.h5")
        test = matrix(12, 1, first=500)
        LabelMatrix(test.image_id, test.file_name, classes, test.labels).save(tmp_path / "val.h5")
        if own is not None:
            own.save(tmp_path / "own.h5")
        studies = {study.seen: study for study in (Study("linear", loss) for loss in LOSSES)}
        prepare.write(
            tmp_path / "train.h5",
            tmp_path / "val.h5",
            validation=None if own is None else tmp_path / "own.h5",
            studies=studies,
            parts={name: tmp_path / f"{name}_part.h5" for name in ("train", "validation", "test", "chosen_by")},
            seen={name: tmp_path / f"{name}.h5" for name in studies},
            fraction=0.2 if own is None else None,
            seed=1200,
            ks=ks,
            **{"validation_labels": "clean"} | options,
        )
        return tmp_path

    return write


def test_labels_are_drawn_in_the_published_order_before_the_split(written):
    folder = written()
    pool = matrix(30, 0, first=95)
    pool = pool.subset(observation.published_order(pool))
    rows, held_out = observation.split(29)

    seen = Observed.load(folder / "o1_positives.h5")

    assert seen.image_id.tolist() == pool.image_id[rows].tolist()
    assert (seen.labels == observation.draw(pool.labels)[rows]).all()
    assert LabelMatrix.load(folder / "validation_part.h5").image_id.tolist() == pool.image_id[held_out].tolist()
    assert len(LabelMatrix.load(folder / "test_part.h5")) == 11


def test_a_file_has_only_what_its_losses_may_see(written):
    folder = written()
    truth = LabelMatrix.load(folder / "train_part.h5").labels
    seen = {name: Observed.load(folder / f"o1_{name}.h5").labels for name in ("positives", "one_negative")}
    assert (seen["positives"].sum(axis=1) == 1).all()
    assert (seen["positives"] >= 0).all()
    assert ((seen["one_negative"] < 0).sum(axis=1) == (truth == 0).any(axis=1)).all()
    assert (Observed.load(folder / "o1_everything.h5").labels == truth).all()


def test_validation_may_be_by_observed_labels_only(written):
    folder = written(validation_labels="observed")
    assert (LabelMatrix.load(folder / "chosen_by_part.h5").labels.sum(axis=1) == 1).all()
    assert LabelMatrix.load(folder / "validation_part.h5").labels.sum() > 6


def test_with_validation_images_of_its_own_a_dataset_trains_on_all_of_train(written):
    folder = written(own=matrix(14, 2, first=5))
    matrices = (matrix(30, 0, first=95), matrix(14, 2, first=5))
    pool, own = (found.subset(observation.published_order(found)) for found in matrices)

    seen = Observed.load(folder / "o1_positives.h5")
    validation, chosen_by = (LabelMatrix.load(folder / f"{name}_part.h5") for name in ("validation", "chosen_by"))

    assert seen.image_id.tolist() == pool.image_id.tolist()
    assert (seen.labels == observation.draw(pool.labels)).all()
    assert LabelMatrix.load(folder / "train_part.h5").image_id.tolist() == pool.image_id.tolist()
    assert validation.image_id.tolist() == chosen_by.image_id.tolist() == own.image_id.tolist()
    assert (validation.labels == own.labels).all()
    assert (chosen_by.labels == own.labels).all()


def test_labels_of_those_validation_images_are_drawn_by_a_fresh_generator(written):
    folder = written(own=matrix(14, 2, first=5), validation_labels="observed")
    own = matrix(14, 2, 5)
    own = own.subset(observation.published_order(own))
    drawn = observation.draw(own.labels, negatives=1)
    assert (LabelMatrix.load(folder / "chosen_by_part.h5").labels == (drawn > 0)).all()
    assert (LabelMatrix.load(folder / "validation_part.h5").labels == own.labels).all()


def test_a_split_without_any_label_is_named(written):
    nothing = matrix(5, 0, first=5)
    nothing = LabelMatrix(nothing.image_id, nothing.file_name, CLASSES, 0 * nothing.labels)
    with pytest.raises(ValueError, match=r"own\.h5: expected at least one image with a label, found none"):
        written(own=nothing)


def test_other_classes_and_a_k_above_their_number_are_named(written):
    with pytest.raises(ValueError, match=r"train\.h5 and .*val\.h5 have labels of different classes"):
        written(classes=("a", "b", "c", "e"))
    with pytest.raises(ValueError, match=r"single_positive\.k: expected at most 4, the number of labels, found 5"):
        written(ks=(1, 5))


def test_features_come_in_the_order_of_the_ids(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "PART", 64)
    stored = np.random.default_rng(0).random((20, 6), dtype=np.float32)
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["image_id"], file["features"] = 10 + np.arange(20), stored

    first, second = features.rows(tmp_path / "features.h5", np.array([15, 11, 29]), np.array([10]))

    assert (first == stored[[5, 1, 19]]).all()
    assert (second == stored[[0]]).all()
    assert first.ctypes.data % features.ALIGNMENT == 0
    with pytest.raises(ValueError, match=r"features\.h5: expected features of all images .* found none of 1: 77"):
        features.rows(tmp_path / "features.h5", np.array([77]))


def test_recovery_is_about_what_was_not_observed():
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, (50, 3)), rng.random((50, 3))
    observed = np.where(rng.random((50, 3)) < 0.3, truth, 0)
    rest = observed == 0

    found = hidden.recovery(truth, observed, scores)

    classes = [average_precision_score(truth[rest[:, j], j], scores[rest[:, j], j]) for j in range(3)]
    assert found["mAP"] == pytest.approx(np.mean(classes))
    assert found["micro AP"] == pytest.approx(average_precision_score(truth[rest], scores[rest]))
    decided = scores[rest] > 0.5
    assert found["precision"] == pytest.approx(truth[rest][decided].mean())
    assert found["recall"] == pytest.approx(decided[truth[rest] == 1].mean())
    assert found["there"] == pytest.approx(truth[rest].sum() / 50)


def test_a_distribution_has_shares_of_all_scores():
    assert hidden.distribution(np.array([0.0, 0.01, 0.99, 1.0]))[[0, -1]].tolist() == [0.5, 0.5]
    assert hidden.distribution(np.array([])).sum() == 0


METRICS = pd.DataFrame(
    {
        "mode": ["linear"] * 4 + ["end_to_end"],
        "loss": ["bce", "an", "role", "role", "role"],
        "observed": ["1"] * 5,
        "seed": [0, 0, 0, 1, 0],
        "images": [16] * 5,
        "mAP": [80.0, 60.0, 66.0, 67.0, 70.0],
    }
)


def test_table_2_has_both_printed_columns_beside_ours():
    rows = tables.table2(tables.over_seeds(METRICS), "1", [])
    assert [(row.published, row.ours, row.verdict) for row in rows] == [
        (66.3, 66.5, verdicts.REPRODUCED),
        (66.3, 66.5, verdicts.REPRODUCED),
        (66.9, 70.0, verdicts.NOT),
        (66.3, 70.0, verdicts.NOT),
    ]
    assert {row.verdict for row in tables.table2(tables.over_seeds(METRICS), "1", ["smaller"])} == {verdicts.OTHER_SIZE}
    assert tables.table2(tables.over_seeds(METRICS[:2]), "1", [])[0].verdict == verdicts.NOT_RUN


def test_the_table_of_losses_has_intervals_where_there_are_seeds_and_marks_the_best_without_hidden_labels():
    shown = tables.losses_by_mode(tables.over_seeds(METRICS), "1")
    assert shown.fillna("–").to_numpy().tolist() == [
        ["BCE", "80.0", "–"],
        ["AN", "60.0", "–"],
        ["ROLE", "66.5 ± 6.4", "70.0"],
    ]
    assert tables.best_of_each(shown).tolist() == [[False] * 3, [False] * 3, [False, True, True]]


def test_all_results_have_flat_names():
    assert results.flat(METRICS) == {
        "linear_bce_o1_mAP": 80.0,
        "linear_an_o1_mAP": 60.0,
        "linear_role_o1_mAP": 66.5,
        "end_to_end_role_o1_mAP": 70.0,
    }
