import math

import numpy as np
import pytest

from multilabel.evaluation import cooccurrence
from multilabel.report import figures

# Ten images: 0 and 1 always together, 2 without them.
TOGETHER = np.array([[1, 1, 0]] * 6 + [[0, 0, 1]] * 4)


def test_frequencies_of_three_images_by_hand():
    found = cooccurrence.conditional_frequencies([[1, 1, 0], [1, 0, 0], [1, 1, 0]])
    np.testing.assert_allclose(found, [[1, 2 / 3, 0], [1, 1, 0], [0, 0, 0]])


def test_independent_labels_are_as_frequent_whatever_the_other_label():
    found = cooccurrence.independent_frequencies(TOGETHER)
    np.testing.assert_allclose(found, [[0.6, 0.6, 0.4]] * 3)


def test_the_truth_agrees_with_itself():
    found = cooccurrence.agreement(TOGETHER, cooccurrence.conditional_frequencies(TOGETHER), support=1)
    assert found == {"pairs": 6, "mean difference": 0, "correlation": pytest.approx(1)}


def test_the_difference_is_the_mean_over_the_pairs():
    independent = cooccurrence.independent_frequencies(TOGETHER)
    # True: 1 for (0, 1) and (1, 0), else 0. Independent: 0.6 for these, 0.4 twice and 0.6 twice.
    expected = (0.4 + 0.4 + 0.4 + 0.4 + 0.6 + 0.6) / 6
    assert cooccurrence.agreement(TOGETHER, independent, support=1)["mean difference"] == pytest.approx(expected)


def test_only_labels_of_enough_images_count():
    assert cooccurrence.agreement(TOGETHER, np.zeros((3, 3)), support=5)["pairs"] == 4


def test_without_any_pair_there_is_no_number():
    found = cooccurrence.agreement(TOGETHER, np.zeros((3, 3)), support=11)
    assert found["pairs"] == 0
    assert math.isnan(found["mean difference"])
    assert math.isnan(found["correlation"])


def test_a_model_that_keeps_pairs_is_nearer_than_chance_and_one_that_does_not_is_not():
    rng = np.random.default_rng(0)
    shuffled = np.column_stack([rng.permutation(column) for column in np.tile(TOGETHER, (100, 1)).T])
    truth = np.tile(TOGETHER, (100, 1))
    table = cooccurrence.table(truth, {"keeps": truth, "shuffled": shuffled}, training=truth[:500]).set_index("model")
    assert table.loc["keeps", "mean difference"] == 0
    assert table.loc["shuffled", "mean difference"] == pytest.approx(table.loc["shuffled", "independent"], abs=0.03)
    assert list(table.index) == ["keeps", "shuffled", "labels of the training images"]


def test_frequencies_of_another_number_of_labels_are_an_error():
    with pytest.raises(ValueError, match=r"expected frequencies of shape \(3, 3\), found \(2, 2\)"):
        cooccurrence.agreement(TOGETHER, np.zeros((2, 2)))


def test_labels_are_ordered_by_their_number_of_images():
    assert cooccurrence.most_frequent(TOGETHER, 2).tolist() == [0, 1]


@pytest.mark.parametrize("n", [1, 3, 80])
def test_any_number_of_classes_is_drawn(tmp_path, n):
    labels = (np.random.default_rng(0).random((50, n)) < 0.3).astype(int)
    frequencies = cooccurrence.conditional_frequencies(labels)
    figure = figures.cooccurrence({"True": frequencies, "Predicted": frequencies}, [f"class {j}" for j in range(n)])
    figures.save(figure, tmp_path / "figure")
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["True", "Predicted"]
