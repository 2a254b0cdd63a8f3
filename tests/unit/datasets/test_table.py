import re

import numpy as np
import pandas as pd
import pytest

from multilabel.datasets import table
from multilabel.datasets.folder import natural_order

CONTENT = "file_name,grass,cow\n10.png,1,0\n2.png,0,0\nsub/1.png,1,1\n"


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for name in ("2.png", "10.png", "sub/1.png"):
        (folder / name).touch()
    return folder


@pytest.fixture
def read(tmp_path, images):
    def read(content):
        path = tmp_path / "labels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return table.read_labels(path, images)

    return read


def test_rows_are_the_images_in_the_order_of_the_file(read):
    assert read(CONTENT).file_name == ("10.png", "2.png", "sub/1.png")


def test_classes_are_the_columns_after_the_first(read):
    assert read(CONTENT).classes == ("grass", "cow")


def test_labels_are_the_cells(read):
    assert read(CONTENT).labels.tolist() == [[1, 0], [0, 0], [1, 1]]


def test_images_without_ids_are_numbered_from_one(read):
    found = read(CONTENT).image_id
    assert (found.dtype, found.tolist()) == (np.dtype(np.int64), [1, 2, 3])


def test_a_column_image_id_holds_the_ids(read):
    found = read("file_name,grass,image_id,cow\n10.png,1,-7,0\n2.png,0,9223372036854775807,1\n")
    assert found.image_id.tolist() == [-7, 2**63 - 1]
    assert found.classes == ("grass", "cow")
    assert found.labels.tolist() == [[1, 0], [0, 1]]


def test_the_first_column_may_have_any_name_or_none(read):
    assert read(CONTENT.replace("file_name", "")).classes == ("grass", "cow")


def test_minus_one_is_an_absent_class(read):
    assert read("file_name,grass,cow\n10.png,-1,1\n2.png,1,-1\n").labels.tolist() == [[0, 1], [1, 0]]


def test_labels_may_be_whole_numbers_with_a_point(read):
    assert read("file_name,grass,cow\n10.png,1.0,0.0\n").labels.tolist() == [[1, 0]]


def test_a_first_column_called_image_id_still_holds_the_file_names(read):
    found = read("image_id,grass\n10.png,1\n")
    assert (found.file_name, found.image_id.tolist()) == (("10.png",), [1])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_cells_may_be_separated_as_spreadsheets_do_it(read, separator):
    assert read(CONTENT.replace(",", separator)).labels.tolist() == read(CONTENT).labels.tolist()


def test_cells_may_be_quoted_whatever_separates_them(read):
    assert read('"file_name";"grass"\n"10.png";"1"\n').classes == ("grass",)


def test_a_class_may_have_the_separator_in_its_name(read):
    assert read('file_name,"grass, dry",cow;calf\n10.png,1,0\n').classes == ("grass, dry", "cow;calf")


def test_a_byte_order_mark_does_not_count(read):
    assert read(b'\xef\xbb\xbf"file, relative",gr\xc3\xbcn\n10.png,1\n').classes == ("grün",)


def test_windows_line_ends_and_lines_without_content_are_passed_over(read):
    assert len(read(CONTENT.replace("\n", "\r\n") + "\r\n,,\r\n")) == 3


def test_blanks_around_cells_do_not_count(read):
    found = read("file_name, grass, cow\n10.png , 1, 0\n")
    assert (found.file_name, found.classes, found.labels.tolist()) == (("10.png",), ("grass", "cow"), [[1, 0]])


def test_images_that_the_file_does_not_name_are_passed_over(read, images):
    (images / "stray.png").touch()
    assert len(read(CONTENT)) == 3


def test_classes_may_be_digits(read):
    assert read("file_name,0,1,2\n10.png,1,0,0\n").classes == ("0", "1", "2")


def test_numbers_in_names_are_ordered_as_numbers():
    names = ["b1", "2_10_s", "10_1_s", "2_9_s", "02_9_s"]
    assert sorted(names, key=natural_order) == ["02_9_s", "2_9_s", "2_10_s", "10_1_s", "b1"]


# Real labels


@pytest.fixture(scope="module")
def msrc(shared_data):
    return shared_data / "msrc_v2"


def test_msrc_v2_has_its_images_classes_and_positives(msrc):
    found = table.read_labels(msrc / "labels.csv", msrc / "images")
    assert (found.labels.shape, int(found.labels.sum())) == ((591, 23), 1541)


def test_msrc_v2_is_what_pandas_reads(msrc):
    found = table.read_labels(msrc / "labels.csv", msrc / "images")
    expected = pd.read_csv(msrc / "labels.csv", index_col=0)
    seen = pd.DataFrame(found.labels, pd.Index(found.file_name, name="file_name"), list(found.classes))
    pd.testing.assert_frame_equal(seen, expected, check_dtype=False)


# What is wrong with a file


def test_a_missing_file_is_named(tmp_path, images):
    with pytest.raises(FileNotFoundError, match=r"none\.csv: no such file"):
        table.read_labels(tmp_path / "none.csv", images)


def test_a_missing_folder_of_images_is_named(tmp_path, read):
    (tmp_path / "labels.csv").write_text(CONTENT)
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder; .*labels\.csv"):
        table.read_labels(tmp_path / "labels.csv", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "found 0 line(s)", id="an empty file"),
        pytest.param("file_name,grass\n", "found 1 line(s)", id="no images"),
        pytest.param("file_name\n10.png\n", "one or more of classes, found only: file_name", id="no classes"),
        pytest.param("file_name,image_id\n10.png,1\n", "found only: file_name, image_id", id="ids but no classes"),
        pytest.param(
            "10.png,1,0,0\n2.png,1,0,0\n", "first line, found labels: 10.png, 1, 0, 0", id="no line of names"
        ),
        pytest.param("elsewhere.png,1,0\n2.png,1,0\n", "first line, found labels", id="no line of names, image gone"),
        pytest.param("file_name,grass,\n10.png,1,0\n", "found none in column 3", id="a class without a name"),
        pytest.param("file_name,grass,cow,grass\n10.png,1,0,1\n", "more than once: grass", id="a class twice"),
        pytest.param(
            "file_name,image_id,a,image_id\n10.png,1,0,1\n", "more than once: image_id", id="two columns of ids"
        ),
        pytest.param(
            CONTENT + "10.png,1,0\n", "expected each image once, found more than once: 10.png (lines 2 and 5)",
            id="an image twice",
        ),
        pytest.param(CONTENT + "./2.png,1,0\n", "2.png (lines 3 and 5)", id="an image twice in another spelling"),
        pytest.param(CONTENT + ",1,0\n", "found none in 1 line(s): line 5", id="a line without an image"),
        pytest.param(
            "f,a,b,c\n10.png,2,,1\n2.png,yes,0,nan\nsub/1.png,0.5,1e0,1\n",
            "found 6 other(s): line 2, column a: 2; line 2, column b: an empty cell; line 3, column a: yes; "
            "line 3, column c: nan; line 4, column a: 0.5; …",
            id="values that are no labels",
        ),
        pytest.param(
            "f,a\n10.png,1\n2.png,0\nsub/1.png,-1\n",
            "found both 0 and −1: line 3, column a: 0; line 4, column a: -1",
            id="both ways to write an absent class",
        ),
        pytest.param(
            "f,a,b\n10.png,1\n2.png,0,1\nsub/1.png,0,1,1\n",
            "expected 3 cells in each line, as in the first, found 2 line(s) with another number: line 2 has 2, "
            "line 4 has 4",
            id="lines of another length",
        ),
        pytest.param(
            "f,image_id,a\n10.png,1.0,1\n2.png,,0\nsub/1.png,9223372036854775808,0\n",
            "found 3 other(s): line 2: 1.0; line 3: an empty cell; line 4: 9223372036854775808",
            id="ids that are no integers of 64 bits",
        ),
        pytest.param(
            "f,image_id,a\n10.png,7,1\n2.png,07,0\n", "each image_id once, found more than once: 7 (lines 2 and 3)",
            id="an id twice",
        ),
        pytest.param(
            "f,a\n" + "".join(f"{n}.png,1\n" for n in range(1, 9)),
            "7 of 8 images are not in IMAGES: 1.png, 3.png, 4.png, 5.png, 6.png, …",
            id="images that are not there",
        ),
        pytest.param("f,a\nsub,1\n", "1 of 1 images are not in IMAGES: sub", id="a folder in place of an image"),
        pytest.param(
            "f,a\n../labels.csv,1\n/etc/passwd,1\n", "inside it, found 2 other(s): ../labels.csv, /etc/passwd",
            id="names that lead out of the folder",
        ),
        pytest.param("f,a\n10.png,1\n".encode("utf-16"), "expected a CSV file in UTF-8", id="another encoding"),
        pytest.param('f,a\n"10.png,1\n', "found after line 1: unexpected end of data", id="an open quote"),
        pytest.param('f,"a' + "\n10.png,1" * 20000, "found in the first line: field larger", id="one cell"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(read, images, content, message):
    with pytest.raises(ValueError, match=rf"labels\.csv: .*{re.escape(message.replace('IMAGES', str(images)))}"):
        read(content)
