import csv

import keras
import numpy as np
import pytest
from PIL import Image

from multilabel.datasets import coco
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import single_label

READING = {"workers": 1, "damaged": "stop"}


@pytest.fixture
def folder(tmp_path):
    """Three images, one of each plain colour."""
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{number}.png")
    return tmp_path


def colour_classifier(activation=None):
    """Four outputs: red, green, blue, and one that is never strong."""
    kernel = np.eye(3, 4, dtype=np.float32) * 5
    pixels = keras.Input((8, 8, 3))
    last = keras.layers.Dense(4, activation=activation, use_bias=False)
    model = keras.Model(pixels, last(keras.layers.GlobalAveragePooling2D()(pixels)))
    last.set_weights([kernel])
    return model


LABELS = LabelMatrix([5, 6, 7], ["0.png", "1.png", "2.png"], ["warm", "cold", "unknown"], np.zeros((3, 3)))
OUTPUTS = {"warm": [0, 3], "cold": [1, 2]}


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_a_class_has_the_probabilities_of_all_its_kinds(folder, activation):
    image_id, scores = single_label.predict(
        colour_classifier(activation), LABELS, folder, OUTPUTS, preprocess="inet", reading=READING
    )
    strong, weak = (np.exp(5 * value) for value in (1, -1))
    total = strong + 2 * weak + 1
    assert image_id.tolist() == [5, 6, 7]
    assert scores[0] == pytest.approx([(strong + 1) / total, 2 * weak / total, 0], rel=1e-4)
    assert scores[1] == pytest.approx([(weak + 1) / total, (strong + weak) / total, 0], rel=1e-4)


def test_63_of_cocos_classes_have_counterparts_in_imagenet(shared_data):
    classes = coco.read_labels(shared_data / "coco_sample/annotations/instances_val2017.json").classes
    found = single_label.counterparts(classes)
    assert len(found) == 63
    assert set(classes) - set(found) >= {"giraffe", "frisbee", "toothbrush"}
    assert len(found["dog"]) == 118


def test_an_output_counts_for_one_class_only():
    with single_label.IMAGENET.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len({row["index"] for row in rows}) == len(rows)
    assert all(0 <= int(row["index"]) < 1000 and row["by"] in ("WordNet", "hand") for row in rows)
