"""Wrong input gives one clear error and leaves nothing behind: annotations, splits, images, weights, earlier files.

Wrong configurations are in test_config.py, each way in which an image can be damaged in images/test_decode.py.
"""

import copy
import json

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from multilabel.datasets import coco, labels
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import finetune, runs, top_models
from multilabel.features import extraction
from multilabel.images.decode import DamagedImagesError
from multilabel.networks import backbones

READING = {"workers": 2, "damaged": "stop"}
BASE = {"network": "VGG16", "width": 1 / 16, "input_size": 32, "seed": 0}
SETTINGS = {"epochs": 1, "patience": 1, "min_delta": 0.0, "momentum": 0.9, "decay": 0.0, "seed": 0, "memory_gb": 1.0}
TOP_MODEL = "tiny_set_zmuvs_avg_1x4d5_lr11_b4"
FINETUNED = f"{TOP_MODEL}_15_lr11_b4"
CONTENT = {
    "images": [{"id": 10 * row, "file_name": f"{row}.png"} for row in range(1, 9)],
    "annotations": [
        {"id": row, "image_id": 10 * row, "category_id": (5, 7)[row % 2], "iscrowd": 0} for row in range(1, 9)
    ],
    "categories": [{"id": 5, "name": "dog"}, {"id": 7, "name": "cat"}],
}


@pytest.fixture
def project(tmp_path):
    """Annotations, and folders for the results of jobs."""
    write(tmp_path / "train.json", CONTENT)
    for folder in ("labels", "features", "runs"):
        (tmp_path / "results" / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def with_images(project):
    """The same with images and their label file."""
    rng = np.random.default_rng(0)
    (project / "images").mkdir()
    for image in CONTENT["images"]:
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(project / "images" / image["file_name"])
    coco.read_labels(project / "train.json").save(project / "labels.h5")
    return project


@pytest.fixture(scope="module")
def narrow():
    return backbones.build(**BASE)


def write(path, content):
    path.write_text(json.dumps(content))


def edited(change):
    """The annotations after a change."""
    content = copy.deepcopy(CONTENT)
    change(content)
    return content


def refused(project, message, job, *arguments, error=ValueError, **options):
    """The job fails with such a message, and every file and folder, hidden ones too, is as it was."""
    before = state(project)
    with pytest.raises(error, match=message):
        job(*arguments, **options)
    assert state(project) == before


def state(project):
    return {path: path.read_bytes() if path.is_file() else None for path in project.rglob("*")}


# Annotations


def write_labels(project, test=None, held_out_test=(0.0, 0), held_out_validation=(0.0, 0)):
    """What the rule `labels` does."""
    matrices = labels.splits(
        coco.read_labels(project / "train.json"),
        coco.read_labels(project / test) if test else None,
        held_out_test=held_out_test,
        held_out_validation=held_out_validation,
    )
    for number, matrix in enumerate(matrices):
        matrix.save(project / "results" / "labels" / f"{number}.h5")


def test_annotations_and_splits_without_a_fault_are_accepted(project):
    write(
        project / "test.json", edited(lambda c: [image.update(file_name=f"x/{image['id']}") for image in c["images"]])
    )
    write_labels(project, "test.json", held_out_validation=(0.25, 0))
    matrices = [LabelMatrix.load(path) for path in sorted((project / "results" / "labels").iterdir())]
    assert [len(matrix) for matrix in matrices] == [6, 2, 8]


def test_missing_annotations(project):
    path = project / "train.json"
    path.unlink()
    message = rf"^{path}: no such file; expected annotations in COCO's format"
    refused(project, message, write_labels, project, held_out_test=(0.25, 0), error=FileNotFoundError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected JSON in COCO's format, found an empty file"),
        (b"<html>404 Not Found</html>", "expected JSON, found something else: .*invalid character.* near b'<html>404"),
        (json.dumps(CONTENT).encode()[:200], "expected JSON, cut short: .*truncated"),
        (json.dumps(CONTENT).encode("utf-16"), "expected JSON, found UTF-16: save it as UTF-8"),
        (b'{"images": [{"id": NaN}]}', "expected JSON, found NaN at byte 19, which JSON does not have"),
        (b'{"images": [], "info": {"mean": -Infinity}}', "expected JSON, found -Infinity at byte 32"),
        (b"[1, 2]", "expected COCO's format .*`object`, got `array`"),
    ],
    ids=["empty", "HTML", "truncated", "UTF-16", "NaN", "infinity", "a list"],
)
def test_annotations_that_are_no_json_object(project, content, message):
    path = project / "train.json"
    path.write_bytes(content)
    refused(project, f"^{path}: {message}", write_labels, project, held_out_test=(0.25, 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("categories"), "expected COCO's format .*missing required field `categories`$"),
        (lambda c: c["images"][2].pop("file_name"), r"expected COCO's format .*`file_name` - at `\$.images\[2\]`"),
        (lambda c: c["annotations"][0].pop("image_id"), r"expected COCO's .*`image_id` - at `\$.annotations\[0\]`"),
        (lambda c: c.update(images={}), r"expected COCO's format .*`array`, got `object` - at `\$.images`"),
        (lambda c: c["images"][1].update(id="20"), r"expected COCO's .*`int`, got `str` - at `\$.images\[1\].id`"),
        (lambda c: c["images"][1].update(id=2**64), r"expected COCO's .*at `\$.images\[1\].id`"),
        (lambda c: c.update(images=[], annotations=[]), "expected at least one image, found none"),
        (lambda c: c.update(categories=[], annotations=[]), "expected at least one category, found none"),
        (lambda c: c["images"].append(c["images"][3]), "expected each image id once, found 1 more than once: 40"),
        (lambda c: c["images"][3].update(file_name="2.png"), "expected each file name once, .*more than once: 2.png"),
        (lambda c: c["images"][3].update(file_name="./2.png"), "expected each file name once, .*more than once: 2.png"),
        (lambda c: c["images"][3].update(file_name="../2.png"), r"expected file names relative to .*: \.\./2.png"),
        (lambda c: c["images"][3].update(file_name="/data/2.png"), r"expected file names relative to .*: /data/2.png"),
        (lambda c: c["images"][3].update(file_name=""), "expected file names relative to .*: ''"),
        (lambda c: c["categories"][0].update(id=7), "expected each category id once, found 1 more than once: 7"),
        (lambda c: c["categories"][0].update(name="cat"), "expected each category name once, .*more than once: cat"),
        (lambda c: c["annotations"][4].update(image_id=99), r"found 1 annotation\(s\) whose image_id .*: 99$"),
        (lambda c: c["annotations"][4].update(category_id=6), r"found 1 annotation\(s\) whose category_id .*: 6$"),
    ],
    ids=[
        *("missing key", "image without file name", "annotation without image", "object for list", "text for number"),
        *("number too large", "no images", "no categories", "image id twice"),
        *("file name twice", "spelt in two ways", "name out of the folder", "absolute name", "no name"),
        *("category id twice",),
        *("category name twice", "annotation of unknown image", "annotation of unknown category"),
    ],
)
def test_annotations_that_are_not_in_cocos_format(project, change, message):
    path = project / "train.json"
    write(path, edited(change))
    refused(project, f"^{path}: {message}", write_labels, project, held_out_test=(0.25, 0))


# Splits


def test_train_and_test_that_share_images(project):
    write(project / "test.json", edited(lambda content: content["images"][0].update(file_name="other.png")))
    message = r"^dataset.train and dataset.test: 7 image\(s\) are in both.*: 20, 30, 40, 50, 60, …\. Take them out"
    refused(project, message, write_labels, project, "test.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["categories"][0].update(name="cow"), r"only in train \['dog'\], only in test \['cow'\]"),
        (lambda c: c["categories"][0].update(id=9), "their ids are in another order"),
    ],
    ids=["another name", "another order"],
)
def test_train_and_test_with_different_classes(project, change, message):
    content = edited(change)
    write(project / "test.json", content | {"annotations": []})
    message = f"^dataset.train and dataset.test have annotations of different categories: .*{message}"
    refused(project, message, write_labels, project, "test.json")


@pytest.mark.parametrize("fraction", [0.01, 0.99])
@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_held_out_part_that_leaves_one_part_empty(project, split, fraction):
    options = {"held_out_test": (0.25, 0)} | {f"held_out_{split}": (fraction, 0)}
    message = (
        rf"^dataset.{split}.fraction: a fraction of {fraction} of \d images is \d: one of the parts would be empty"
    )
    refused(project, message, write_labels, project, **options)


# Images


def extract(project, base):
    """What the rule `features` does."""
    place = project / "results" / "features"
    extraction.extract(
        LabelMatrix.load(project / "labels.h5"),
        project / "images",
        base,
        {("zmuvs", pooling): place / f"{pooling}.h5" for pooling in ("77", "avg")},
        skipped=place / "skipped.csv",
        batch_size=8,  # batches that are done before an error stay, to go on from
        reading=READING,
        provenance={},
        report=lambda line: None,
    )


def fine_tune(project, memory_gb=1.0):
    """What the rule `finetune` does."""
    finetune.train(
        FINETUNED,
        labels=(str(project / "labels.h5"),) * 2,
        images=(str(project / "images"),) * 2,
        top_model_weights=str(project / "top_models" / TOP_MODEL / "best.weights.h5"),
        base={**BASE, "weights": None},
        statistics=None,
        folder=project / "results" / "runs" / FINETUNED,
        settings=SETTINGS | {"memory_gb": memory_gb},
        reading=READING,
        record={},
    )


def save_top_model(project, classes=2):
    path = project / "top_models" / TOP_MODEL / "best.weights.h5"
    path.parent.mkdir(parents=True)
    top_models.build(runs.parse(TOP_MODEL), 32, classes, seed=0).save_weights(path)
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[:1000])


DAMAGE = {
    "no such file": lambda path: path.unlink(),
    "empty file": lambda path: path.write_bytes(b""),
    "not an image": lambda path: path.write_text("<html>404 Not Found</html>"),
    "image file is truncated": cut,
}


@pytest.mark.parametrize("reason", DAMAGE)
def test_a_damaged_image_stops_the_extraction_of_features(with_images, narrow, reason):
    path = with_images / "images" / "7.png"
    DAMAGE[reason](path)
    message = rf"^1 image\(s\) are damaged or missing:\n  {path}: {reason}(?s:.*)dataset.damaged_images: skip$"
    refused(with_images, message, extract, with_images, narrow, error=DamagedImagesError)


@pytest.mark.parametrize("memory_gb", [1.0, 0.0], ids=["kept in memory", "read in each epoch"])
def test_damaged_images_stop_fine_tuning(with_images, memory_gb):
    save_top_model(with_images)
    for name in ("3.png", "5.png"):
        cut(with_images / "images" / name)
    message = r"^2 image\(s\) are damaged or missing:(?s:.*)3.png(?s:.*)5.png"
    refused(with_images, message, fine_tune, with_images, memory_gb, error=DamagedImagesError)


# Weights; what the message says of each fault is in test_backbones.py


def of_another_network(path):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")]).save_weights(path)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda path: None, FileNotFoundError),
        (lambda path: path.write_text("<html>404 Not Found</html>"), ValueError),
        (of_another_network, ValueError),
    ],
    ids=["missing", "not HDF5", "of another network"],
)
def test_weights_of_the_base_that_cannot_be_used(with_images, fault, error):
    path = with_images / "base.weights.h5"
    fault(path)

    def job():
        extract(with_images, backbones.build(**BASE, weights=path))

    refused(with_images, f"^{path}: ", job, error=error)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("missing", FileNotFoundError, "no such weights file"),
        ("truncated", ValueError, "expected an HDF5 file of weights: .*truncated"),
        ("of other classes", ValueError, r"layer logits of top_model needs weights of shapes .*; the file has"),
    ],
)
def test_weights_of_the_top_model_that_cannot_be_used(with_images, fault, error, message):
    path = save_top_model(with_images, classes=5 if fault == "of other classes" else 2)
    if fault == "missing":
        path.unlink()
    if fault == "truncated":
        cut(path)
    refused(with_images, f"^{path}: {message}", fine_tune, with_images, error=error)


# Files of earlier jobs


def train_top_model(project):
    """What the rule `top_models` does."""
    top_models.train(
        {TOP_MODEL: [str(project / "features.h5")] * 2},
        labels=[str(project / "labels.h5")] * 2,
        folder=project / "results" / "runs",
        settings=SETTINGS,
        record={},
    )


def write_features(path, ids):
    with h5py.File(path, "w") as file:
        file["image_id"] = np.array(ids)
        file["features"] = np.zeros((len(ids), 32), np.float32)


@pytest.mark.parametrize("name", ["labels.h5", "features.h5"])
def test_a_truncated_file_of_an_earlier_job(with_images, name):
    write_features(with_images / "features.h5", [10, 20])
    cut(with_images / name)
    refused(with_images, f"^{with_images / name}: expected .*truncated.*Remove it", train_top_model, with_images)


def test_features_of_images_that_have_no_labels(with_images):
    write_features(with_images / "features.h5", [10, 11, 12])
    message = rf"^{with_images}/features.h5: 2 image\(s\) are not in {with_images}/labels.h5: 11, 12\. Make both files"
    refused(with_images, message, train_top_model, with_images)
