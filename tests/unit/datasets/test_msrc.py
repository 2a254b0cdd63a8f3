import numpy as np
import pytest
from PIL import Image

from multilabel.datasets import msrc

GRASS, COW, HORSE, SKY, MOUNTAIN, BOAT, VOID = (
    (0, 128, 0), (0, 0, 128), (128, 0, 128), (128, 128, 128), (64, 0, 0), (192, 64, 0), (0, 0, 0),
)  # fmt: skip


@pytest.fixture
def folders(tmp_path):
    for name in ("GroundTruth", "Images"):
        (tmp_path / name).mkdir()
    return tmp_path / "GroundTruth", tmp_path / "Images"


@pytest.fixture
def add(folders):
    """Write an image and its ground truth, whose pixels are the given colours, each several times."""

    def add(name, *colours):
        truth = np.repeat(np.array([colours], np.uint8), 3, axis=0)
        Image.fromarray(truth).save(folders[0] / f"{name}_GT.bmp")
        Image.new("RGB", (len(colours), 3)).save(folders[1] / f"{name}.bmp")

    return add


def present(matrix):
    return [[matrix.classes[column] for column in np.flatnonzero(row)] for row in matrix.labels]


def test_an_image_has_the_classes_of_its_colours(folders, add):
    add("1_1_s", GRASS, COW, VOID)
    add("1_2_s", BOAT, SKY)
    assert present(msrc.read_labels(*folders)) == [["grass", "cow"], ["sky", "boat"]]


def test_void_is_no_class(folders, add):
    add("1_1_s", VOID)
    assert present(msrc.read_labels(*folders)) == [[]]


def test_horse_and_mountain_are_classes(folders, add):
    add("1_1_s", HORSE, MOUNTAIN)
    assert present(msrc.read_labels(*folders)) == [["horse", "mountain"]]


def test_one_pixel_is_enough(folders, add):
    add("1_1_s", *[GRASS] * 50)
    with Image.open(folders[0] / "1_1_s_GT.bmp") as image:
        image.putpixel((49, 2), COW)
        image.save(folders[0] / "1_1_s_GT.bmp")
    assert present(msrc.read_labels(*folders)) == [["grass", "cow"]]


def test_ground_truth_with_a_palette_is_read_by_its_colours(folders, add):
    add("1_1_s", GRASS, COW)
    with Image.open(folders[0] / "1_1_s_GT.bmp") as image:
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=2).save(folders[0] / "1_1_s_GT.bmp")
    assert present(msrc.read_labels(*folders)) == [["grass", "cow"]]


def test_rows_are_in_the_natural_order_of_the_names_and_numbered_from_one(folders, add):
    for name in ("10_1_s", "2_10_s", "2_9_s"):
        add(name, GRASS)
    found = msrc.read_labels(*folders)
    assert found.file_name == ("2_9_s.bmp", "2_10_s.bmp", "10_1_s.bmp")
    assert (found.image_id.dtype, found.image_id.tolist()) == (np.dtype(np.int64), [1, 2, 3])


def test_images_without_ground_truth_and_other_files_are_passed_over(folders, add):
    add("1_1_s", GRASS)
    Image.new("RGB", (1, 1)).save(folders[1] / "1_2_s.bmp")
    (folders[0] / "Thumbs.db").touch()
    assert msrc.read_labels(*folders).file_name == ("1_1_s.bmp",)


def test_a_file_is_read_as_a_table(tmp_path, folders, add):
    add("1_1_s", GRASS)
    (tmp_path / "labels.csv").write_text("file_name,grass,cow\n1_1_s.bmp,0,1\n")
    assert present(msrc.read_labels(tmp_path / "labels.csv", folders[1])) == [["cow"]]


# Real labels


@pytest.fixture
def msrc_v2(shared_data):
    return shared_data / "msrc_v2"


def test_the_classes_are_those_of_the_real_table_in_its_order(folders, add, msrc_v2):
    add("1_1_s", GRASS)
    assert msrc.read_labels(*folders).classes == msrc.read_labels(msrc_v2 / "labels.csv", msrc_v2 / "images").classes


# What is wrong with the files


def test_a_missing_ground_truth_is_named(tmp_path, folders):
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such file or folder"):
        msrc.read_labels(tmp_path / "nowhere", folders[1])


def test_a_missing_folder_of_images_is_named(tmp_path, folders, add):
    add("1_1_s", GRASS)
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
        msrc.read_labels(folders[0], tmp_path / "nowhere")


def test_a_folder_without_ground_truth_is_named(folders):
    with pytest.raises(ValueError, match=r"Images: expected MSRC v2's ground truth \(\*_GT\.bmp\)"):
        msrc.read_labels(folders[1], folders[1])


def test_images_that_are_not_there_are_named(folders, add):
    add("1_1_s", GRASS)
    add("1_2_s", GRASS)
    (folders[1] / "1_2_s.bmp").unlink()
    with pytest.raises(ValueError, match=r"GroundTruth: 1 of 2 images are not in .*Images: 1_2_s\.bmp"):
        msrc.read_labels(*folders)


def test_a_colour_of_no_class_is_named_with_its_file_and_pixels(folders, add):
    add("1_1_s", GRASS, (1, 2, 3), (1, 2, 3))
    add("1_2_s", (255, 255, 255))
    with pytest.raises(ValueError, match=r"2 other.*1_1_s_GT\.bmp: \(1, 2, 3\) \(6 pixels\); 1_2_s_GT.bmp: .*\(3 pix"):
        msrc.read_labels(*folders)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"no image", id="no image"),
        pytest.param(lambda content: content[:200], id="cut short"),
        pytest.param(lambda content: content[:18] + b"\xff\xff\xff\x0f" + content[22:], id="absurd width"),
    ],
)
def test_damaged_ground_truth_is_named(folders, add, damage):
    add("1_1_s", *[GRASS] * 50)
    path = folders[0] / "1_1_s_GT.bmp"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"1_1_s_GT\.bmp: expected an image of colour-coded ground truth"):
        msrc.read_labels(*folders)
