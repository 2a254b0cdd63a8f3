import pytest

from multilabel.datasets import statistics
from multilabel.datasets.labels import LabelMatrix

CLASSES = ("person", "dog", "toaster")


@pytest.fixture
def matrix():
    """Five images, the third without labels, and a class that no image has."""
    truth = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 1, 0]]
    return LabelMatrix(range(5), [f"{row}.jpg" for row in range(5)], CLASSES, truth)


@pytest.fixture
def all_of_four():
    """Four images with all labels."""
    return LabelMatrix(range(4), [f"{row}.jpg" for row in range(4)], CLASSES, [[1, 1, 1]] * 4)


def test_the_table_of_a_split(matrix):
    [row] = statistics.table({"val": matrix}).to_dict("records")
    assert row == {
        "split": "val",
        "images": 5,
        "unlabelled": 1,
        "classes": 3,
        "pairs": 6,
        "label cardinality": 6 / 5,
        "label density": pytest.approx(6 / 15),
        "most frequent": "person (3)",
        "least frequent": "toaster (0)",
    }


def test_images_per_class_has_a_row_per_class_and_a_column_per_split(matrix, all_of_four):
    found = statistics.images_per_class({"train": all_of_four, "val": matrix})
    assert found.to_dict("index") == {
        "person": {"train": 4, "val": 3},
        "dog": {"train": 4, "val": 3},
        "toaster": {"train": 4, "val": 0},
    }


def test_labels_per_image_counts_from_no_label_to_the_most_in_any_split(matrix, all_of_four):
    found = statistics.labels_per_image({"train": all_of_four, "val": matrix})
    assert found.index.tolist() == [0, 1, 2, 3]
    assert found.to_dict("list") == {"train": [0, 0, 0, 4], "val": [1, 2, 2, 0]}
