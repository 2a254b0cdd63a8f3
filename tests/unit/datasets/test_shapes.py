import hashlib

import h5py
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from multilabel.datasets import coco, shapes

SIZE = 64

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools.*")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    shapes.write_scenes(folder, train=200, val=40, size=SIZE, seed=0)
    return folder


@pytest.fixture(scope="module")
def train(scenes):
    return COCO(scenes / "annotations" / "instances_train.json")


@pytest.fixture(scope="module")
def single_objects(tmp_path_factory):
    path = tmp_path_factory.mktemp("objects") / "objects.h5"
    shapes.write_single_objects(path, images=45, size=32, seed=0)
    return path


def digest(folder):
    """Names and bytes of all files of a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        shapes.write_scenes(tmp_path / name, train=6, val=3, size=32, seed=seed)
    one, two, other = (digest(tmp_path / name) for name in ("one", "two", "other"))
    assert len(one) == 11
    assert one == two
    assert all(one[name] != other[name] for name in one)


def test_scenes_written_anew_replace_those_that_were_there(tmp_path):
    shapes.write_scenes(tmp_path, train=5, val=3, size=32, seed=0)
    shapes.write_scenes(tmp_path, train=3, val=2, size=32, seed=0)
    assert [len(list((tmp_path / split).iterdir())) for split in ("train", "val")] == [3, 2]


@pytest.mark.parametrize(("split", "count"), [("train", 200), ("val", 40)])
def test_annotations_list_the_images_that_are_there_with_their_size(scenes, split, count):
    listed = COCO(scenes / "annotations" / f"instances_{split}.json").dataset["images"]
    assert sorted(image["file_name"] for image in listed) == sorted(path.name for path in (scenes / split).iterdir())
    assert len(listed) == count
    for image in listed:
        with Image.open(scenes / split / image["file_name"]) as opened:
            assert opened.size == (image["width"], image["height"]) == (SIZE, SIZE)


def test_splits_share_no_image(scenes):
    train, val = (coco.read_labels(scenes / "annotations" / f"instances_{split}.json") for split in ("train", "val"))
    assert not set(train.image_id) & set(val.image_id)


def test_ids_have_gaps_as_those_of_coco(train):
    for ids in (train.getImgIds(), train.getCatIds()):
        assert len(ids) < max(ids) - min(ids) + 1


def test_annotations_are_numbered(train):
    assert [found["id"] for found in train.dataset["annotations"]] == list(range(1, len(train.anns) + 1))


def test_every_class_occurs_and_the_most_frequent_three_times_as_often_as_the_rarest(scenes):
    counts = coco.read_labels(scenes / "annotations" / "instances_train.json").labels.sum(axis=0)
    assert counts.min() >= 5
    assert counts.max() > 3 * counts.min()


def test_some_images_have_crowds_and_some_no_labels(scenes):
    path = scenes / "annotations" / "instances_train.json"
    without, with_crowds = coco.read_labels(path), coco.read_labels(path, crowds=True)
    assert (~without.labels.any(axis=1)).any()
    assert (with_crowds.labels != without.labels).any()


def test_some_pictures_are_grey(scenes):
    modes = [Image.open(path).mode for path in (scenes / "train").iterdir()]
    assert {"RGB", "L"} == set(modes)
    assert modes.count("RGB") > 0.9 * len(modes)


def test_masks_of_crowds_have_the_area_and_box_that_the_file_says(train):
    crowds = train.loadAnns(train.getAnnIds(iscrowd=True))
    assert crowds
    for crowd in crowds:
        mask = train.annToMask(crowd)
        assert mask.sum() == crowd["area"]
        assert box(mask) == crowd["bbox"]


def test_polygons_have_the_area_that_the_file_says(train):
    for name in shapes.CLASSES:
        objects = train.loadAnns(train.getAnnIds(catIds=train.getCatIds(catNms=[name]), iscrowd=False))
        ratios = [train.annToMask(found).sum() / found["area"] for found in objects]
        assert np.mean(ratios) == pytest.approx(1, abs=0.1), name  # pycocotools counts whole pixels inside the outline
        assert min(ratios) > 0.75, name


def test_polygons_lie_in_their_boxes_to_the_pixel(train):
    for found in train.loadAnns(train.getAnnIds(iscrowd=False)):
        [corners] = found["segmentation"]
        x, y, width, height = found["bbox"]
        assert width * height > 0
        outline = [min(corners[::2]), min(corners[1::2]), max(corners[::2]), max(corners[1::2])]
        # A thin tip may cover less than half of its pixels, which then do not count.
        assert np.abs(np.array(outline) - [x, y, x + width, y + height]).max() < 5


def box(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]


def test_objects_stand_out_from_their_background(scenes, train):
    contrasts = []
    for image in train.dataset["images"][:50]:
        pixels = np.asarray(Image.open(scenes / "train" / image["file_name"]).convert("L"), float)
        objects = train.loadAnns(train.getAnnIds(imgIds=image["id"], iscrowd=False))
        if len(objects) == 1:
            inside = train.annToMask(objects[0]).astype(bool)
            contrasts.append(abs(np.median(pixels[inside]) - np.median(pixels[~inside])))
    assert len(contrasts) > 5
    assert np.median(contrasts) > 30


# Single objects


def test_single_objects_take_turns_through_more_classes_than_the_scenes_have(single_objects):
    with h5py.File(single_objects) as file:
        names = list(file.attrs["classes"])
        assert file["images"].shape == (45, 32, 32, 3)
        assert file["images"].dtype == np.uint8
        assert file["labels"][()].tolist() == [index % len(names) for index in range(45)]
    assert set(shapes.CLASSES) < set(names)


def test_single_objects_of_the_same_seed_are_the_same_bytes(single_objects, tmp_path):
    for seed in (0, 1):
        shapes.write_single_objects(tmp_path / f"{seed}.h5", images=45, size=32, seed=seed)
    first, other = ((tmp_path / f"{seed}.h5").read_bytes() for seed in (0, 1))
    assert first == single_objects.read_bytes()
    assert first != other
