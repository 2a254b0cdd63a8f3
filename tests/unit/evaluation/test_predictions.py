import json

import h5py
import numpy as np
import pytest

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, predictions
from multilabel.evaluation.predictions import Predictions

SCORES = np.array([[0.9, 0.1], [0.2, 0.3], [0.6, 0.7]])


@pytest.fixture
def label_file(tmp_path):
    """Four images in another order than the predictions; the second and last without labels."""
    truth = [[1, 1], [0, 0], [1, 0], [0, 0]]
    LabelMatrix([30, 20, 10, 40], list("abcd"), ("dog", "cat"), truth).save(tmp_path / "labels.h5")
    return tmp_path / "labels.h5"


@pytest.fixture
def scores_file(tmp_path):
    predictions.save(tmp_path / "run" / "val.h5", np.array([10, 20, 30]), SCORES)
    return tmp_path / "run" / "val.h5"


# Files


def test_saved_scores_load_as_float32_with_their_ids(scores_file):
    image_id, scores = predictions.load(scores_file)
    assert (image_id.dtype, scores.dtype) == (np.int64, np.float32)
    assert image_id.tolist() == [10, 20, 30]
    assert (scores == SCORES.astype(np.float32)).all()


def test_the_same_scores_are_saved_as_the_same_bytes(scores_file, tmp_path):
    predictions.save(tmp_path / "again.h5", [10, 20, 30], SCORES)
    assert (tmp_path / "again.h5").read_bytes() == scores_file.read_bytes()


@pytest.mark.parametrize("damage", ["missing", "truncated", "without scores", "of another length", "no numbers"])
def test_a_damaged_file_is_named_with_what_to_do(scores_file, damage):
    content = scores_file.read_bytes()
    scores_file.unlink()
    if damage == "truncated":
        scores_file.write_bytes(content[:1500])
    if damage == "without scores":
        with h5py.File(scores_file, "w") as file:
            file["image_id"] = [1]
    if damage == "of another length":
        predictions.save(scores_file, np.arange(3), np.zeros((2, 4)))
    if damage == "no numbers":
        predictions.save(scores_file, np.arange(2), np.full((2, 4), np.nan))
    with pytest.raises(ValueError, match=rf"^{scores_file}: expected HDF5 with image_id and scores; .*Remove it"):
        predictions.load(scores_file)


# With labels


@pytest.mark.parametrize("augmented", [False, True])
def test_what_a_run_predicts_is_found_in_the_results(tmp_path, augmented):
    LabelMatrix([10], ["a"], ("dog", "cat"), [[1, 0]]).save(tmp_path / "labels/val.h5")
    for name, score in (("val", 0.2), ("val_augmented", 0.3)):
        predictions.save(tmp_path / f"predictions/run/{name}.h5", [10], np.full((1, 2), score))
    found = predictions.of_run(tmp_path, "run", "val", augmented=augmented)
    assert found.scores[0, 0] == np.float32(0.3 if augmented else 0.2)


def test_scores_are_matched_with_labels_by_image_id_and_unlabelled_images_left_out(scores_file, label_file):
    found = predictions.load_with_truth(scores_file, label_file)
    assert found.image_id.tolist() == [10, 30]
    assert found.truth.tolist() == [[1, 0], [1, 1]]
    assert (found.scores == SCORES[[0, 2]].astype(np.float32)).all()


def test_scores_of_images_without_a_row_of_labels_are_an_error_that_names_both_files(tmp_path, label_file):
    path = tmp_path / "val.h5"
    predictions.save(path, [10, 11], SCORES[:2])
    with pytest.raises(ValueError, match=rf"^{path}: 1 image\(s\) are not in {label_file}: 11\. Make both"):
        predictions.load_with_truth(path, label_file)


# Metrics


def drawn(seed, count=40, classes=5):
    rng = np.random.default_rng(seed)
    truth = (rng.random((count, classes)) < 0.4).astype(np.uint8)
    truth[:, 0] |= ~truth.any(axis=1)
    return Predictions(np.arange(count), truth, (0.4 * truth + rng.random(truth.shape)).astype(np.float32))


def test_metrics_are_those_of_the_test_images_with_thresholds_of_the_validation_images():
    test, validation = drawn(1), drawn(2)
    found = all_metrics.of_run(test, validation, k=2)
    expected = all_metrics.evaluate(test.truth, test.scores, k=2, validation=(validation.truth, validation.scores))
    assert {name: value for name, value in found.items() if not name.startswith("validation_")} == expected


def test_metrics_of_the_validation_images_stand_beside_them():
    test, validation = drawn(1), drawn(2)
    found = all_metrics.of_run(test, validation, k=2)
    expected = all_metrics.evaluate(validation.truth, validation.scores, k=2)
    assert {name: found[f"validation_{name}"] for name in expected} == expected


# The choice


@pytest.fixture
def metric_files(tmp_path):
    """Three runs; b and c are equal on validation images, and a is the best on test images."""
    files = {}
    for run, validation, test in (("a", 0.5, 0.9), ("b", 0.7, 0.1), ("c", 0.7, 0.2)):
        files[run] = str(tmp_path / f"{run}.json")
        content = {"micro_f1": test, "validation_micro_f1": validation, "validation_coverage": 1 - validation}
        (tmp_path / f"{run}.json").write_text(json.dumps(content))
    return files


def test_the_run_with_the_best_validation_metric_is_chosen_and_of_equal_ones_the_first(metric_files):
    assert predictions.choose(metric_files, "micro_f1") == {
        "run": "b",
        "criterion": "micro_f1",
        "values": {"a": 0.5, "b": 0.7, "c": 0.7},
    }


def test_an_unknown_criterion_is_an_error_that_lists_the_known_ones(metric_files):
    message = rf"^evaluation.criterion: .*{metric_files['a']}, found 'f1'; there are micro_f1, coverage$"
    with pytest.raises(ValueError, match=message):
        predictions.choose(metric_files, "f1")
