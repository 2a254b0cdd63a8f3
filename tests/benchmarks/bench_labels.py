"""The label matrix of a file of the size of COCO's instances_train2017.json, beside pycocotools.

Expected: at least 10 times as fast, with at most a quarter of the memory; the same matrix.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from comparison import Row, in_own_process, report

IMAGES, ANNOTATIONS, CATEGORIES = 118_287, 860_000, 80


def write(path: Path) -> None:
    """Write random images and annotations with polygons, in the order and form of COCO's own file."""
    rng = np.random.default_rng(0)
    polygons = [json.dumps([np.round(rng.random(2 * rng.integers(4, 50)) * 600, 2).tolist()]) for _ in range(2000)]
    with path.open("w") as file:
        images = (
            {"license": 3, "file_name": f"{i:012}.jpg", "height": 480, "width": 640, "id": i} for i in range(IMAGES)
        )
        categories = [{"supercategory": "thing", "id": i + 1, "name": f"class {i}"} for i in range(CATEGORIES)]
        file.write('{"info": {"year": 2017}, "images": [' + ", ".join(map(json.dumps, images)) + '], "annotations": [')
        for number, (image, category, polygon) in enumerate(
            zip(
                rng.integers(IMAGES, size=ANNOTATIONS).tolist(),
                rng.integers(1, CATEGORIES + 1, ANNOTATIONS).tolist(),
                rng.integers(len(polygons), size=ANNOTATIONS).tolist(),
                strict=True,
            )
        ):
            file.write(
                f'{", " if number else ""}{{"segmentation": {polygons[polygon]}, "area": 702.1057, '
                f'"iscrowd": {int(number % 100 == 0)}, "image_id": {image}, "bbox": [473.07, 395.93, 38.65, 28.67], '
                f'"category_id": {category}, "id": {number}}}'
            )
        file.write('], "categories": ' + json.dumps(categories) + "}")


def ours(path: Path) -> np.ndarray:
    """The matrix by this library."""
    from multilabel.datasets import coco

    return coco.read_labels(path).labels


def pycocotools(path: Path) -> np.ndarray:
    """The matrix through the index that pycocotools makes."""
    from pycocotools.coco import COCO

    content = COCO(str(path))
    columns = {category: column for column, category in enumerate(sorted(content.getCatIds()))}
    labels = np.zeros((len(content.dataset["images"]), len(columns)), np.uint8)
    for row, image in enumerate(content.dataset["images"]):
        for annotation in content.imgToAnns[image["id"]]:
            if not annotation["iscrowd"]:
                labels[row, columns[annotation["category_id"]]] = 1
    return labels


def rows(rounds: int = 3) -> Iterator[Row]:
    """Time and memory, each process with nothing but its reader."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        write(path)
        found = {
            name: [in_own_process(__file__, name, str(path)) for _ in range(rounds)]
            for name in (ours.__name__, pycocotools.__name__)
        }
        assert len({each["checksum"] for values in found.values() for each in values}) == 1, "another matrix"
        size = path.stat().st_size / 1e6
    for what, unit, expected in (("seconds", "s", 10), ("memory", "GB", 4)):
        mine, theirs = ([each[what] for each in found[name]] for name in ("ours", "pycocotools"))
        yield Row(f"label matrix, {IMAGES:,} images, {size:.0f} MB", "pycocotools", mine, theirs, unit, expected)


if __name__ == "__main__":
    reader = {"ours": ours, "pycocotools": pycocotools}[sys.argv[1]]
    started = time.perf_counter()
    matrix = reader(Path(sys.argv[2]))
    taken = time.perf_counter() - started
    report(seconds=taken, checksum=float(matrix @ np.arange(1, CATEGORIES + 1) @ np.sqrt(np.arange(1, IMAGES + 1))))
