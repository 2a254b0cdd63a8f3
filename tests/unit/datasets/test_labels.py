from dataclasses import replace

import h5py
import numpy as np
import pytest

from multilabel.datasets import labels
from multilabel.datasets.labels import LabelMatrix

CLASSES = ("person", "dog", "toaster")


def covering(matrix):
    """The same with shares of the image as targets."""
    return replace(matrix, coverage=matrix.labels * np.float32(0.25))


@pytest.fixture
def matrix():
    """Five images out of order, the third without labels, and a class that no image has."""
    truth = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 1, 0]]
    return LabelMatrix([7, 3, 90, 1, 5], ["g.jpg", "c.jpg", "é.jpg", "a.jpg", "e.jpg"], CLASSES, truth)


def numbered(count, start=0):
    """Images with consecutive ids."""
    ids = np.arange(start, start + count)
    return LabelMatrix(ids, [f"{index}.jpg" for index in ids], CLASSES, np.ones((count, 3)))


def same(one, other):
    return (
        (one.image_id.tolist(), one.file_name, one.classes) == (other.image_id.tolist(), other.file_name, other.classes)
    ) and (one.labels == other.labels).all()


def test_the_parts_become_int64_ids_and_uint8_labels(matrix):
    assert (matrix.image_id.dtype, matrix.labels.dtype, len(matrix)) == (np.int64, np.uint8, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros((2, 2))}, r"expected \(2, 3\) \(images, classes\).*found \(2, 2\)"),
        ({"file_name": ["a.jpg"]}, "as many file names, found .* and 1"),
        ({"image_id": [4, 4]}, "expected different image ids, found twice: 4"),
        ({"classes": ["dog", "cat", "dog"]}, "expected different class names, found twice: dog"),
        ({"labels": np.full((2, 3), 2)}, "expected 0 or 1, found 2"),
    ],
)
def test_parts_that_do_not_fit_together_are_an_error_that_says_which(change, message):
    parts = {"image_id": [4, 5], "file_name": ["a", "b"], "classes": CLASSES, "labels": np.zeros((2, 3))}
    with pytest.raises(ValueError, match=f"^labels: .*{message}"):
        LabelMatrix(**(parts | change))


# Files


def test_a_saved_matrix_loads_as_it_was(matrix, tmp_path):
    matrix.save(tmp_path / "labels" / "val.h5")
    assert same(LabelMatrix.load(tmp_path / "labels" / "val.h5"), matrix)


def test_the_same_matrix_is_saved_as_the_same_bytes(matrix, tmp_path):
    for name in ("one.h5", "two.h5"):
        matrix.save(tmp_path / name)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_other_programs_find_the_parts_under_their_names(matrix, tmp_path):
    matrix.save(tmp_path / "val.h5")
    with h5py.File(tmp_path / "val.h5") as file:
        assert sorted(file) == ["file_name", "image_id", "labels"]
        assert file["labels"].dtype == np.uint8
        assert file["file_name"][2].decode() == "é.jpg"
        assert list(file.attrs["classes"]) == list(CLASSES)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:1500]), "truncated file"),
        (lambda path: path.write_text("image_id,labels\n"), "file signature not found"),
        (lambda path: h5py.File(path, "w").close(), "file_name"),
    ],
    ids=["missing", "truncated", "not HDF5", "without labels"],
)
def test_a_damaged_file_is_named_with_what_to_do(matrix, tmp_path, damage, reason):
    path = tmp_path / "val.h5"
    matrix.save(path)
    damage(path)
    with pytest.raises(ValueError, match=rf"^{path}: expected an HDF5 file of labels; .*{reason}.*Remove it"):
        LabelMatrix.load(path)


# Parts


@pytest.mark.parametrize("rows", [[3, 1], np.array([3, 1])])
def test_a_subset_by_positions_takes_the_rows_in_that_order(matrix, rows):
    found = matrix.subset(rows)
    assert found.image_id.tolist() == [1, 3]
    assert found.file_name == ("a.jpg", "c.jpg")
    assert found.labels.tolist() == [[0, 1, 0], [1, 1, 0]]


def test_a_subset_by_a_mask_keeps_the_order(matrix):
    assert matrix.subset(matrix.labels.any(axis=1)).image_id.tolist() == [7, 3, 1, 5]


def test_rows_of_finds_images_by_id_in_the_order_asked(matrix):
    assert matrix.rows_of(np.array([5, 7, 90, 7]), name="labels", other="scores").tolist() == [4, 0, 2, 0]


def test_images_that_are_not_there_are_named_with_both_files(matrix):
    wanted = np.array([5, 2, 91, *range(100, 110)])
    with pytest.raises(ValueError, match=r"^scores.h5: 12 image\(s\) are not in val.h5: 2, 91, 100, 101, 102, …"):
        matrix.rows_of(wanted, name="val.h5", other="scores.h5")


def test_held_out_images_and_the_rest_are_all_images_once_in_their_order():
    rest, part = numbered(50).held_out(0.3, seed=1)
    assert (len(rest), len(part)) == (35, 15)
    for half in (rest, part):
        assert (np.diff(half.image_id) > 0).all()
    assert sorted([*rest.image_id, *part.image_id]) == list(range(50))


def test_which_images_are_held_out_follows_from_the_seed():
    ids = [numbered(50).held_out(0.3, seed=seed)[1].image_id.tolist() for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


# Splits

NONE = (0.0, 0)


def test_test_images_serve_for_validation_as_in_the_paper():
    train, test = numbered(20), numbered(10, start=100)
    found = labels.splits(train, test, held_out_test=NONE, held_out_validation=NONE)
    assert [split.image_id.tolist() for split in found] == [list(range(20)), list(range(100, 110))]


def test_held_out_validation_images_are_a_part_of_train_and_test_stays():
    found = labels.splits(numbered(20), numbered(10, 100), held_out_test=NONE, held_out_validation=(0.25, 3))
    assert [len(split) for split in found] == [15, 5, 10]
    assert set(found[0].image_id) | set(found[1].image_id) == set(range(20))


def test_without_test_files_three_splits_share_the_images_of_train():
    found = labels.splits(numbered(20), None, held_out_test=(0.2, 0), held_out_validation=(0.25, 0))
    assert [len(split) for split in found] == [12, 4, 4]
    assert sorted(np.concatenate([split.image_id for split in found])) == list(range(20))


def test_the_same_test_images_are_held_out_whatever_the_validation_split():
    found = [
        labels.splits(numbered(40), None, held_out_test=(0.2, 5), held_out_validation=validation)[-1]
        for validation in (NONE, (0.3, 1), (0.5, 2))
    ]
    assert same(found[0], found[1])
    assert same(found[0], found[2])


def test_networks_are_trained_on_labels_or_where_there_is_one_on_coverage(matrix):
    assert matrix.targets is matrix.labels
    assert covering(matrix).targets.max() == 0.25


def test_coverage_is_kept_by_files_and_by_parts_of_the_images(matrix, tmp_path):
    covering(matrix).save(tmp_path / "labels.h5")
    found = LabelMatrix.load(tmp_path / "labels.h5")
    assert found.coverage.dtype == np.float32
    assert (found.subset([1, 4]).coverage == found.coverage[[1, 4]]).all()
    assert (found.coverage == covering(matrix).coverage).all()


@pytest.mark.parametrize("coverage", [np.full((5, 3), 1.5), np.full((5, 3), np.nan), np.zeros((5, 2))])
def test_coverage_of_another_shape_or_range_is_an_error(matrix, coverage):
    with pytest.raises(ValueError, match=r"coverage: expected \(5, 3\) numbers from 0 to 1"):
        replace(matrix, coverage=coverage)
