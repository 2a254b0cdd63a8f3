"""Labels of a dataset in COCO's format: a JSON file with `images`, `annotations` and `categories`."""

import codecs
import contextlib
import io
import json
import mmap
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO

from multilabel.datasets.folder import require_inside
from multilabel.datasets.labels import LabelMatrix

_Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Image(msgspec.Struct, gc=False):
    id: _Id
    file_name: str


class _Annotation(msgspec.Struct, gc=False):
    """What the labels need of an annotation; polygons and the rest are skipped without being built."""

    image_id: _Id
    category_id: _Id
    iscrowd: int = 0


class _Category(msgspec.Struct, gc=False):
    id: _Id
    name: str


class _File(msgspec.Struct, gc=False):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_labels(annotations: str | Path, *, crowds: bool = False) -> LabelMatrix:
    """The label matrix of a JSON file in COCO's format.

    Rows are in the order of `images`, unlabelled ones included; column j is the j-th smallest category id. Annotations
    of crowds (`iscrowd: 1`) count only with `crowds`: the author of paper 000 left them out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not JSON in COCO's format, an id or a name is there twice, a file name leads out of the
            folder of images, or an annotation refers to an image or category that is not there; the message names the
            file and the ids or names.
    """
    content = _decode(Path(annotations))
    image_id = np.array([image.id for image in content.images], np.int64)
    categories = sorted(content.categories, key=lambda category: category.id)
    category_id = np.array([category.id for category in categories], np.int64)
    for what, values in (
        ("image id", image_id.tolist()),
        ("category id", category_id.tolist()),
        ("category name", [category.name for category in categories]),
    ):
        if not values:
            raise ValueError(f"{annotations}: expected at least one {what.split()[0]}, found none")
        _unique(annotations, what, values)
    file_name = [image.file_name for image in content.images]
    require_inside(file_name, source=annotations)
    _unique(annotations, "file name", [str(PurePosixPath(name)) if "/" in name else name for name in file_name])

    pairs = np.array(
        [(found.image_id, found.category_id) for found in content.annotations if crowds or not found.iscrowd], np.int64
    ).reshape(-1, 2)
    labels = np.zeros((len(image_id), len(category_id)), np.uint8)
    rows = _positions(annotations, "image_id", image_id, pairs[:, 0])
    labels[rows, _positions(annotations, "category_id", category_id, pairs[:, 1])] = 1
    return LabelMatrix(
        image_id,
        tuple(file_name),
        tuple(category.name for category in categories),
        labels,
    )


def read_coverage(annotations: str | Path, *, crowds: bool = False) -> LabelMatrix:
    """The label matrix with the share of each image that each class covers (section 6.3 of paper 000).

    Objects of one class that overlap count once: a share is the area of the union of their masks, from polygons or
    run lengths, by the height times the width of the image. pycocotools draws the masks: of a file of COCO's
    size in minutes, where labels alone take seconds.

    Raises:
        FileNotFoundError, ValueError: as of `read_labels`, or an object has no mask; the message names its id.
    """
    matrix = read_labels(annotations, crowds=crowds)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        content = COCO()
        content.dataset = json.loads(Path(annotations).read_text(encoding="utf-8-sig"))
        content.createIndex()
    column = {category: place for place, category in enumerate(sorted(content.cats))}
    coverage = np.zeros(matrix.labels.shape, np.float32)
    for row, image_id in enumerate(matrix.image_id.tolist()):
        masks = defaultdict(list)
        for found in content.imgToAnns[image_id]:
            if crowds or not found.get("iscrowd"):
                masks[found["category_id"]].append(_run_lengths(content, found, annotations))
        for category, encoded in masks.items():
            union = mask.merge(encoded)
            height, width = union["size"]
            coverage[row, column[category]] = mask.area(union) / (height * width)
    return replace(matrix, coverage=coverage)


def _run_lengths(content: COCO, annotation: dict[str, Any], path: str | Path) -> Any:
    try:
        return content.annToRLE(annotation)
    except Exception as error:  # of its C code, of many kinds
        raise ValueError(
            f"{path}: annotation {annotation.get('id')}: expected a mask (segmentation as polygons or run lengths) of "
            f"an image with height and width, found {str(annotation.get('segmentation'))[:40]} ({error!r})"
        ) from error


def _decode(path: Path) -> _File:
    """Parse the file where the operating system maps it, without a copy of it in memory."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected annotations in COCO's format")
    if not path.stat().st_size:
        raise ValueError(f"{path}: expected JSON in COCO's format, found an empty file")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        marked = content[:3] == codecs.BOM_UTF8
        try:
            with memoryview(content)[3 if marked else 0 :] as text:
                return msgspec.json.decode(text, type=_File)
        except msgspec.ValidationError as error:
            raise ValueError(f"{path}: expected COCO's format (images, annotations, categories): {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: expected JSON, {_fault(content, str(error))}") from error


def _fault(content: mmap.mmap, error: str) -> str:
    """What is wrong with a file that is no JSON."""
    if "truncated" in error:
        return f"cut short: {error}"
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "found UTF-16: save it as UTF-8"
    if number := re.search(rb"[:\[,]\s*(-?Infinity|NaN)\b", content):
        return (
            f"found {number[1].decode()} at byte {number.start(1):,}, which JSON does not have: write a number or null"
        )
    place = re.search(r"\(byte (\d+)\)", error)
    near = f", near {content[max(0, int(place[1]) - 20) : int(place[1]) + 20]!r}" if place else ""
    return f"found something else: {error}{near}"


def _unique(path: str | Path, what: str, values: Iterable[object]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f"{path}: expected each {what} once, found {len(twice)} more than once: {_first(twice)}")


def _positions(path: str | Path, key: str, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each of the wanted ids stands among the known ones."""
    order = np.argsort(known)
    found = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)]
    unknown = wanted[known[found] != wanted]
    if len(unknown):
        ids = list(dict.fromkeys(unknown.tolist()))
        raise ValueError(f"{path}: found {len(unknown)} annotation(s) whose {key} is not in the file: {_first(ids)}")
    return found


def _first(values: list) -> str:
    """The first few values as text."""
    return ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
