import re

import numpy as np
import pytest

from multilabel.datasets import voc
from multilabel.datasets.labels import LabelMatrix

CLASSES = ("cat", "dog", "train")
TUTORIAL = (240, 255, 333, 188, 262, 197, 761, 344, 572, 146, 263, 430, 294, 249, 2095, 273, 97, 372, 263, 279)


@pytest.fixture
def devkit(tmp_path):
    """A set of three images and classes, as VOC writes it: two blanks before a number without a sign."""
    main, images = tmp_path / "ImageSets" / "Main", tmp_path / "JPEGImages"
    main.mkdir(parents=True)
    images.mkdir()
    values = {"cat": (1, -1, 0), "dog": (-1, 1, -1), "train": (0, -1, -1)}
    names = ("000005", "000012", "000007")
    for name in names:
        (images / f"{name}.jpg").touch()
    (main / "train.txt").write_text("".join(f"{name}\n" for name in names))
    for label, found in values.items():
        lines = [f"{name} {value:2}\n" for name, value in zip(names, found, strict=True)]
        (main / f"{label}_train.txt").write_text("".join(lines))
    return tmp_path


@pytest.fixture
def read(devkit):
    def read(image_set="train", **options):
        path = devkit / "ImageSets" / "Main" / f"{image_set}.txt"
        return voc.read_labels(path, devkit / "JPEGImages", **{"classes": CLASSES, **options})

    return read


@pytest.fixture
def edit(devkit):
    def edit(name, old, new):
        path = devkit / "ImageSets" / "Main" / name
        path.write_text(path.read_text().replace(old, new))

    return edit


def test_rows_are_in_the_order_of_the_lists_and_columns_in_that_of_the_classes(read):
    found = read(difficult="absent")
    assert found.image_id.tolist() == [5, 12, 7]
    assert found.file_name == ("000005.jpg", "000012.jpg", "000007.jpg")
    assert found.classes == CLASSES
    assert found.labels.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert found.ignored is None


def test_difficult_objects_can_count_as_present(read):
    assert read().labels.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_difficult_objects_can_be_ignored(read):
    found = read(difficult="ignore")
    assert found.labels.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert found.ignored.tolist() == [[False, False, True], [False] * 3, [True, False, False]]


@pytest.mark.parametrize(("name", "ids"), [("2008_000005", [2008000005, 12, 7]), ("rex", [1, 2, 3]), ("12", [1, 2, 3])])
def test_an_id_is_the_number_in_a_name_or_the_place(devkit, edit, name, ids):
    for listed in ("train.txt", *(f"{label}_train.txt" for label in CLASSES)):
        edit(listed, "000005", name)
    path = devkit / "ImageSets" / "Main" / "train.txt"
    assert voc.read_labels(path, None, classes=CLASSES).image_id.tolist() == ids


def test_lines_may_end_as_on_windows_and_the_last_may_be_empty(read, devkit):
    path = devkit / "ImageSets" / "Main" / "cat_train.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert read().labels[:, 0].tolist() == [1, 0, 1]


def test_a_set_that_does_not_exist_is_named_with_those_that_do(read):
    with pytest.raises(FileNotFoundError, match=r"Main/test\.txt: no such image set; there are train$"):
        read("test")


def test_a_missing_list_is_named(read, devkit):
    (devkit / "ImageSets" / "Main" / "dog_train.txt").unlink()
    with pytest.raises(ValueError, match=r"each of 3 classes and the set train, found none for 1: dog_train\.txt"):
        read()


def test_an_image_without_a_file_is_named(read, devkit):
    (devkit / "JPEGImages" / "000012.jpg").unlink()
    with pytest.raises(ValueError, match=r"train\.txt: 1 of 3 images are not in .*JPEGImages: 000012\.jpg"):
        read()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("000012 -1", "000012  2", r"cat_train\.txt: expected 1, 0 or −1, found 1 other\(s\): 000012: 2"),
        ("000012 -1", "000012", r"cat_train\.txt: expected an image and 1, 0 or −1 per line, .* line 2: 000012"),
        ("000012 -1\n", "", r"cat_train\.txt: expected the 3 images of train\.txt, found 2"),
        ("000012 -1", "000013 -1", r"cat_train\.txt: .* in its order, found 1 other\(s\): 000013 in place of 000012"),
        ("000012 -1", "000012 -\xe9", r"cat_train\.txt: expected a text file"),
    ],
    ids=["another value", "no value", "too short", "another image", "no text"],
)
def test_a_list_that_is_something_else_is_named(read, edit, old, new, message):
    edit("cat_train.txt", old, new)
    with pytest.raises(ValueError, match=message):
        read()


def test_an_empty_set_is_named(read, devkit):
    (devkit / "ImageSets" / "Main" / "train.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"train\.txt: expected an image per line, found an empty list"):
        read()


def test_another_rule_for_difficult_objects_is_an_error(read):
    with pytest.raises(ValueError, match="difficult: expected present, absent or ignore, found 'maybe'"):
        read(difficult="maybe")


def test_a_file_keeps_what_is_ignored(read, tmp_path):
    found = read(difficult="ignore")
    found.save(tmp_path / "labels.h5")
    loaded = LabelMatrix.load(tmp_path / "labels.h5")
    np.testing.assert_array_equal(loaded.ignored, found.ignored)
    np.testing.assert_array_equal(loaded.subset([2, 0]).ignored, found.ignored[[2, 0]])


@pytest.fixture(scope="session")
def trainval(shared_data):
    return shared_data / "voc2007" / "ImageSets" / "Main" / "trainval.txt"


def test_the_real_lists_have_the_counts_of_the_tutorial(trainval):
    found = voc.read_labels(trainval, None)
    assert len(found) == 5011
    assert tuple(found.labels.sum(axis=0).tolist()) == TUTORIAL
    assert found.labels.sum() == 7913


def test_absent_and_ignored_agree_with_a_count_by_hand(trainval):
    absent = voc.read_labels(trainval, None, difficult="absent")
    ignored = voc.read_labels(trainval, None, difficult="ignore")
    for column, name in enumerate(absent.classes):
        text = trainval.with_name(f"{name}_trainval.txt").read_text()
        present, hard = (len(re.findall(rf"^\d{{6}} +{value}$", text, re.MULTILINE)) for value in (1, 0))
        assert absent.labels[:, column].sum() == ignored.labels[:, column].sum() == present
        assert ignored.ignored[:, column].sum() == hard
