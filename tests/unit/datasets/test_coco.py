import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from multilabel.datasets import coco

CONTENT = {
    "info": {"year": 2017},
    "images": [
        {"id": 30, "file_name": "c.jpg", "height": 4, "width": 6},
        {"id": 4, "file_name": "a.jpg", "height": 4, "width": 6},
        {"id": 200, "file_name": "unlabelled.jpg", "height": 4, "width": 6},
        {"id": 5, "file_name": "crowd.jpg", "height": 4, "width": 6},
    ],
    "annotations": [
        {"id": 1, "image_id": 4, "category_id": 90, "iscrowd": 0, "segmentation": [[0, 0, 1, 0, 1, 1]]},
        {"id": 2, "image_id": 30, "category_id": 2, "iscrowd": 0},
        {"id": 3, "image_id": 30, "category_id": 2, "iscrowd": 0},
        {"id": 4, "image_id": 30, "category_id": 10},
        {"id": 5, "image_id": 5, "category_id": 2, "iscrowd": 1, "segmentation": {"counts": [24], "size": [4, 6]}},
    ],
    "categories": [
        {"id": 90, "name": "apple", "supercategory": "food"},
        {"id": 10, "name": "zebra"},
        {"id": 2, "name": "person"},
    ],
}


@pytest.fixture
def annotations(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(CONTENT))
    return path


def test_rows_are_the_images_in_the_order_of_the_file(annotations):
    found = coco.read_labels(annotations)
    assert found.image_id.tolist() == [30, 4, 200, 5]
    assert found.file_name == ("c.jpg", "a.jpg", "unlabelled.jpg", "crowd.jpg")


def test_columns_are_the_categories_sorted_by_id_as_numbers(annotations):
    assert coco.read_labels(annotations).classes == ("person", "zebra", "apple")


def test_a_label_is_there_once_however_many_annotations_an_image_has(annotations):
    assert coco.read_labels(annotations).labels[:2].tolist() == [[1, 1, 0], [0, 0, 1]]


def test_unlabelled_images_are_kept(annotations):
    assert coco.read_labels(annotations).labels[2].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("crowds", "expected"), [(False, [0, 0, 0]), (True, [1, 0, 0])])
def test_crowds_are_left_out_unless_asked_for(annotations, crowds, expected):
    assert coco.read_labels(annotations, crowds=crowds).labels[3].tolist() == expected


def test_a_file_without_annotations_has_unlabelled_images(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(CONTENT | {"annotations": []}))
    assert not coco.read_labels(path).labels.any()


# Real annotations


@pytest.fixture(params=["train2017", "val2017"])
def split(request):
    return request.param


@pytest.fixture
def sample(shared_data, split):
    return shared_data / "coco_sample" / "annotations" / f"instances_{split}.json"


@pytest.mark.parametrize("crowds", [False, True])
def test_labels_of_real_images_are_those_that_pycocotools_reads(sample, crowds):
    reference = COCO(sample)
    categories = sorted(reference.getCatIds())
    images = reference.dataset["images"]
    expected = np.zeros((len(images), len(categories)), np.uint8)
    for row, image in enumerate(images):
        wanted = reference.getAnnIds(imgIds=image["id"], iscrowd=None if crowds else False)
        for annotation in reference.loadAnns(wanted):
            expected[row, categories.index(annotation["category_id"])] = 1

    found = coco.read_labels(sample, crowds=crowds)
    assert found.image_id.tolist() == [image["id"] for image in images]
    assert found.file_name == tuple(image["file_name"] for image in images)
    assert found.classes == tuple(reference.cats[category]["name"] for category in categories)
    assert (found.labels == expected).all()


def test_labels_of_real_images_are_those_of_the_published_matrices(sample, split, shared_data):
    with np.load(shared_data / "coco2017" / "labels.npz") as archive:
        published = dict(zip(archive[f"{split}_ids"].tolist(), archive[f"{split}_labels"], strict=True))
    found = coco.read_labels(sample)
    assert found.labels.shape[1] == 80
    for image, row in zip(found.image_id.tolist(), found.labels, strict=True):
        assert row.tolist() == published[image].tolist(), image


def square(x, y, width, height):
    """A polygon of COCO's: corners x, y, x, y, …"""
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def with_masks(tmp_path, *annotations):
    """The file of an image of 10×20 pixels with these annotations: (category id, segmentation, iscrowd)."""
    content = CONTENT | {
        "images": [{"id": 4, "file_name": "a.jpg", "height": 10, "width": 20}],
        "annotations": [
            {"id": number, "image_id": 4, "category_id": category, "segmentation": segmentation, "iscrowd": crowd}
            for number, (category, segmentation, crowd) in enumerate(annotations, 70)
        ],
    }
    path = tmp_path / "masks.json"
    path.write_text(json.dumps(content))
    return path


def test_coverage_is_the_share_of_the_image_below_the_masks_of_a_class(tmp_path):
    path = with_masks(tmp_path, (90, square(0, 0, 10, 5), 0), (2, square(0, 0, 20, 10), 0))
    found = coco.read_coverage(path)
    assert found.coverage.tolist() == [[1.0, 0.0, 0.25]]
    assert found.labels.tolist() == [[1, 0, 1]]


def test_where_objects_of_a_class_overlap_the_image_is_covered_once(tmp_path):
    path = with_masks(tmp_path, (2, square(0, 0, 10, 10), 0), (2, square(5, 0, 10, 10), 0))
    assert coco.read_coverage(path).coverage.tolist() == [[0.75, 0.0, 0.0]]


@pytest.mark.parametrize(("crowds", "expected"), [(False, 0.0), (True, 0.25)])
def test_crowds_cover_only_where_they_count(tmp_path, crowds, expected):
    run_lengths = {"size": [10, 20], "counts": [150, 50]}
    path = with_masks(tmp_path, (2, run_lengths, 1), (10, square(0, 0, 1, 1), 0))
    assert coco.read_coverage(path, crowds=crowds).coverage[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("segmentation", [None, [], "lost"])
def test_an_object_without_a_mask_is_named(tmp_path, segmentation):
    path = with_masks(tmp_path, (2, square(0, 0, 4, 4), 0), (2, segmentation, 0))
    with pytest.raises(ValueError, match=r"masks\.json: annotation 71: expected a mask"):
        coco.read_coverage(path)


def test_real_objects_cover_part_of_their_images_and_of_no_others(shared_data):
    found = coco.read_coverage(shared_data / "coco_sample/annotations/instances_val2017.json")
    assert ((found.coverage > 0) == (found.labels > 0)).all()
    person = found.coverage[:, found.classes.index("person")]
    assert 0.05 < person[person > 0].mean() < 0.5


@pytest.mark.parametrize("read", [coco.read_labels, coco.read_coverage])
def test_a_byte_order_mark_is_passed_over(tmp_path, read):
    content = {"images": [{"id": 3, "file_name": "a"}], "categories": [{"id": 1, "name": "cat"}], "annotations": []}
    (tmp_path / "marked.json").write_text(json.dumps(content), encoding="utf-8-sig")
    assert read(tmp_path / "marked.json").image_id.tolist() == [3]
