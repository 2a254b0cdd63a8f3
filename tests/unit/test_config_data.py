"""What a configuration asks of data that are at hand is checked before any job, and large files are not read for it."""

import json

import pytest
from PIL import Image

from multilabel import config
from multilabel.config import ConfigError, data
from multilabel.datasets import msrc, scene, shapes


def coco(classes=3, labelled=10):
    """Ten images in COCO's format, the first of them labelled."""
    return {
        "images": [{"id": 100 + row, "file_name": f"{row}.png"} for row in range(10)],
        "annotations": [
            {"id": row, "image_id": 100 + row, "category_id": row % classes, "iscrowd": 0} for row in range(labelled)
        ],
        "categories": [{"id": number, "name": f"class {number}"} for number in range(classes)],
    }


def table(classes=3):
    """A CSV with a label in each of ten rows."""
    rows = [
        ",".join([f"{row}.png", *("1" if row % classes == j else "0" for j in range(classes))]) for row in range(10)
    ]
    return "\n".join([",".join(["file", *(f"class {j}" for j in range(classes))]), *rows])


@pytest.fixture
def own(tmp_path):
    """Makes a configuration of a dataset from what its annotations hold."""

    def made(content, **keys):
        (tmp_path / "images").mkdir()
        for row in range(10):
            Image.new("RGB", (4, 4)).save(tmp_path / f"images/{row}.png")
        kind = "csv" if isinstance(content, str) else "coco"
        annotations = tmp_path / f"labels.{kind}"
        annotations.write_text(content if kind == "csv" else json.dumps(content))
        source = {"images": str(tmp_path / "images"), "annotations": str(annotations)}
        dataset = {"name": "own", "kind": kind, "train": source, "test": {"fraction": 0.3}}
        return config.load({"dataset": dataset, **keys})

    return made


@pytest.mark.parametrize("content", [coco(2), table(2)], ids=["coco", "csv"])
@pytest.mark.parametrize("large", [False, True])
def test_k_is_at_most_the_number_of_classes(own, content, large, monkeypatch):
    if large:
        monkeypatch.setattr(data, "READ", dict.fromkeys(data.READ, 0))
    with pytest.raises(ConfigError, match=r"evaluation.k is 3 .* own_2017 has 2 classes; expected .* 1 to 2"):
        data.check(own(content))


@pytest.mark.parametrize("content", [coco(3), table(3)], ids=["coco", "csv"])
def test_what_is_right_passes(own, content):
    data.check(own(content))


def test_datasets_that_always_have_the_same_classes():
    lengths = {"shapes": len(shapes.CLASSES), "msrc": len(msrc._COLOURS), "scene": len(scene._CLASSES)}
    assert {**lengths, "voc": 20} == data.CLASSES
    with pytest.raises(ConfigError, match=r"evaluation.k is 13 .* 12 classes"):
        data.check(config.load({"dataset": {"kind": "shapes"}, "evaluation": {"k": 13}}))


def test_a_dataset_without_any_label_is_refused(own):
    with pytest.raises(ConfigError, match="none of the 7 images of the train split has a label"):
        data.check(own(coco(labelled=0)))


def test_ids_of_fig7_are_of_labelled_test_images(own):
    with pytest.raises(ConfigError, match=r"figures.fig7: .*labelled test images .*: 5; there are, for example, 10\d"):
        data.check(own(coco(), figures={"fig7": [5]}))


def test_what_is_wrong_in_a_table_is_said_before_any_job(own):
    with pytest.raises(ConfigError, match="expected labels 0 and 1"):
        data.check(own(table().replace("9.png,1", "9.png,7")))


def test_data_that_are_fetched_later_are_not_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data.check(config.Config())


def test_a_large_file_is_not_parsed(own, monkeypatch):
    monkeypatch.setattr(data, "READ", dict.fromkeys(data.READ, 0))
    data.check(own({**coco(), "annotations": "nothing that could be read"}))
