"""Choices are made on validation images alone, and all methods are judged on the same test images."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.comparison import protocol
from multilabel.experiments.comparison.protocol import Labels
from multilabel.methods import Method, Run, Scores

CLASSES = ("cat", "dog", "owl")
OPTIONS = {"k": 2, "criterion": "mean_average_precision"}


def matrix(seed, count, first_id):
    truth = (np.random.default_rng(seed).random((count, 3)) < 0.4).astype(np.uint8)
    truth[0] = 0  # an image without labels
    truth[1] = 1
    image_id = first_id + np.arange(count)
    return LabelMatrix(image_id, tuple(f"{image}.png" for image in image_id), CLASSES, truth)


@pytest.fixture
def labels():
    return Labels(val=matrix(0, 40, 100), test=matrix(1, 60, 200))


def write(folder, labels, name, noise, *, seed=0, shuffled=False, noise_of_test=None):
    """A run whose scores know the labels, up to some noise."""
    rng = np.random.default_rng(seed)
    for split, part in labels._asdict().items():
        level = noise if split == "val" or noise_of_test is None else noise_of_test
        scores = part.labels + level * rng.normal(size=part.labels.shape)
        order = rng.permutation(len(part)) if shuffled else np.arange(len(part))
        predictions.save(predictions.path_of(folder, name, split), part.image_id[order], scores[order])
    return Run(name)


def method(name, *candidates):
    return Method(name, name.title(), candidates, tuple(f"{runs[0].name}.h5" for runs in candidates))


def test_the_candidate_is_chosen_on_validation_images_though_another_is_better_on_test(tmp_path, labels):
    good_on_test = write(tmp_path, labels, "a", 2.0, noise_of_test=0.1)
    good_on_validation = write(tmp_path, labels, "b", 0.1, noise_of_test=2.0)
    judged = protocol.judge(method("m", (good_on_test,), (good_on_validation,)), tmp_path, labels, **OPTIONS)
    assert (judged.candidate, judged.run.name, judged.model) == (1, "b", "b.h5")


def test_metrics_are_those_of_the_labelled_images_in_the_order_of_the_labels(tmp_path, labels):
    run = write(tmp_path, labels, "a", 0.8, shuffled=True)
    judged = protocol.judge(method("m", (run,)), tmp_path, labels, **OPTIONS)
    assert judged.test.image_id.tolist() == labels.test.image_id[labels.test.labels.any(axis=1)].tolist()
    expected = average_precision_score(judged.test.truth, judged.test.scores, average="macro")
    assert judged.values["mean_average_precision"] == pytest.approx(expected)


def test_every_seed_of_the_chosen_candidate_is_evaluated(tmp_path, labels):
    seeds = tuple(write(tmp_path, labels, f"a{seed}", 0.8, seed=seed) for seed in range(3))
    judged = protocol.judge(method("m", seeds), tmp_path, labels, **OPTIONS)
    alone = [protocol.judge(method("m", (run,)), tmp_path, labels, **OPTIONS).values for run in seeds]
    assert judged.seeds == alone


def test_others_are_compared_with_the_best_on_validation_images_not_on_test(tmp_path, labels):
    lucky = method("lucky", (write(tmp_path, labels, "a", 1.0, noise_of_test=0.1),))
    solid = method("solid", (write(tmp_path, labels, "b", 0.5),))
    found = protocol.judge_all({"lucky": lucky, "solid": solid}, tmp_path, labels, **OPTIONS)
    assert found["lucky"].values["mean_average_precision"] > found["solid"].values["mean_average_precision"]
    assert protocol.reference(found) == "solid"


def test_scores_of_other_images_are_an_error_that_names_both_methods(tmp_path, labels):
    whole = method("whole", (write(tmp_path, labels, "a", 0.5),))
    run = write(tmp_path, Labels(labels.val, labels.test.subset(np.arange(1, 50))), "b", 0.5)
    with pytest.raises(ValueError, match=r"same test images of all methods, found .* of whole, .* of short"):
        protocol.judge_all({"whole": whole, "short": method("short", (run,))}, tmp_path, labels, **OPTIONS)


def test_without_methods_the_key_is_named_that_is_missing(tmp_path, labels):
    with pytest.raises(ValueError, match=r"dataset\.validation\.fraction above 0"):
        protocol.judge_all({}, tmp_path, labels, **OPTIONS)


def test_sizes_that_the_dataset_does_not_reach_are_left_out(tmp_path, labels):
    scores = np.random.default_rng(0).random((60, 3))
    predictions.save_several(tmp_path / "smaller.h5", {"n20": (labels.test.image_id, scores)})
    offered = method("m", (Run("a"),))._replace(smaller={size: Scores("smaller.h5", f"n{size}") for size in (20, 4000)})
    found = protocol.smaller(offered, tmp_path, labels.test)
    assert list(found) == [20]
    np.testing.assert_array_equal(found[20].scores, scores[labels.test.labels.any(axis=1)].astype(np.float32))
