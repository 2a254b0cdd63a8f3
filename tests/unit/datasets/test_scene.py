import re

import numpy as np
import pytest
from scipy import io, sparse

from multilabel.datasets import scene

CLASSES = ("desert", "mountains", "sea", "sunset", "trees")
LABELS = np.random.default_rng(0).integers(0, 2, (12, 5))
TARGETS = np.where(LABELS.T, 1.0, -1.0)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "original"
    folder.mkdir()
    for number in range(1, 13):
        (folder / f"{number}.jpg").touch()
    return folder


def cells(*values):
    """A column of MATLAB strings, as the published file has them."""
    column = np.empty((len(values), 1), object)
    column[:, 0] = values
    return column


@pytest.fixture
def read(tmp_path, images):
    def read(**content):
        io.savemat(tmp_path / "miml data.mat", content)
        return scene.read_labels(tmp_path / "miml data.mat", images)

    return read


def test_column_j_of_the_targets_belongs_to_image_j(read):
    assert read(targets=TARGETS, class_name=cells(*CLASSES)).labels.tolist() == LABELS.tolist()


def test_rows_are_in_the_order_of_the_numbers(read):
    found = read(targets=TARGETS)
    assert found.image_id.tolist() == list(range(1, 13))
    assert found.file_name == tuple(f"{number}.jpg" for number in range(1, 13))


def test_the_classes_are_the_papers_in_its_order(read):
    assert read(targets=TARGETS).classes == CLASSES


@pytest.mark.parametrize("dtype", [np.int8, np.float32])
def test_targets_may_have_any_type_of_numbers(read, dtype):
    assert read(targets=TARGETS.astype(dtype)).labels.tolist() == LABELS.tolist()


def test_targets_may_be_zero_and_one(read):
    assert read(targets=LABELS.T.astype(np.uint8)).labels.tolist() == LABELS.tolist()


def test_class_names_may_be_a_matrix_of_characters(read):
    assert read(targets=TARGETS, class_name=np.array(CLASSES)).classes == CLASSES


def test_other_keys_and_images_are_passed_over(read, images):
    (images / "13.jpg").touch()
    assert len(read(targets=TARGETS, bags=cells(*[np.zeros((9, 15))] * 12))) == 12


def test_another_file_is_read_as_a_table(tmp_path, images):
    (tmp_path / "labels.csv").write_text("file_name,sea,trees\n10.jpg,-1,1\n2.jpg,1,1\n")
    found = scene.read_labels(tmp_path / "labels.csv", images)
    assert (found.file_name, found.labels.tolist()) == (("10.jpg", "2.jpg"), [[0, 1], [1, 1]])


# What is wrong with the files


def changed(value):
    targets = TARGETS.copy()
    targets[2, 6] = value
    return targets


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({"bags": TARGETS, "label": 1}, "expected the key targets, found: bags, label", id="other keys"),
        pytest.param({}, "expected the key targets, found: no keys", id="no keys"),
        pytest.param({"targets": TARGETS.T}, "expected 5 rows (labels) .*found the shape (12, 5)", id="transposed"),
        pytest.param({"targets": np.zeros((5, 0))}, "found the shape (5, 0)", id="no images"),
        pytest.param({"targets": np.ones((5, 2, 3))}, "found the shape (5, 2, 3)", id="three axes"),
        pytest.param({"targets": cells(*CLASSES)}, "expected a full matrix of numbers", id="no numbers"),
        pytest.param({"targets": sparse.coo_matrix(TARGETS)}, "expected a full matrix of numbers", id="sparse"),
        pytest.param({"targets": changed(2)}, "found 1 other(s): image 7, sea: 2.0", id="a value that is no label"),
        pytest.param({"targets": changed(np.nan)}, "found 1 other(s): image 7, sea: nan", id="not a number"),
        pytest.param({"targets": changed(0)}, "found both −1 and 0", id="both ways to write an absent class"),
        pytest.param(
            {"targets": TARGETS, "class_name": cells(*reversed(CLASSES))},
            "class_name: expected desert, mountains, .*found: trees, sunset, sea",
            id="another order of classes",
        ),
    ],
)
def test_what_is_wrong_is_named(read, content, message):
    pattern = re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(ValueError, match=rf"miml data\.mat: .*{pattern}"):
        read(**content)


def test_images_that_are_not_there_are_named(read, images):
    for number in (3, 11):
        (images / f"{number}.jpg").unlink()
    with pytest.raises(ValueError, match=r"miml data\.mat: 2 of 12 images are not in .*original: 3\.jpg, 11\.jpg"):
        read(targets=TARGETS)


def test_a_missing_file_is_named(tmp_path, images):
    with pytest.raises(FileNotFoundError, match=r"none\.mat: no such file"):
        scene.read_labels(tmp_path / "none.mat", images)


def test_a_missing_table_is_named(tmp_path, images):
    with pytest.raises(FileNotFoundError, match=r"none\.csv: no such file"):
        scene.read_labels(tmp_path / "none.csv", images)


def test_a_missing_folder_of_images_is_named(tmp_path, read):
    read(targets=TARGETS)
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
        scene.read_labels(tmp_path / "miml data.mat", tmp_path / "nowhere")


def test_a_file_cut_short_at_any_place_is_named(tmp_path, images, read):
    read(targets=TARGETS)
    path = tmp_path / "miml data.mat"
    content = path.read_bytes()
    for length in range(0, len(content), 50):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"miml data\.mat: expected"):
            scene.read_labels(path, images)


def test_a_file_of_version_7_3_is_said_to_be_one(tmp_path, images):
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "labels.mat").write_bytes(header + b"\x89HDF\r\n\x1a\n".rjust(392, b"\x00"))
    with pytest.raises(ValueError, match=r"labels\.mat: expected a MATLAB file up to version 7\.2.*Save it with -v7"):
        scene.read_labels(tmp_path / "labels.mat", images)
