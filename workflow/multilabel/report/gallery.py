"""A page to look through: images with their true and predicted labels in one HTML file that needs no network."""

import base64
import html
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from multilabel import arrays
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, metrics
from multilabel.files import complete_or_absent
from multilabel.images import decode
from multilabel.report import examples

TEMPLATE, SHARED = "gallery.html", "images.html"
SIDE, QUALITY = 160, 50
"""Pixels of a thumbnail's longer side, and its quality as a JPEG: about 3 KB each."""
TRUE, PREDICTED = 1, 2


def page(
    title: str,
    subtitle: str,
    *,
    classes: Sequence[str],
    thresholds: ArrayLike,
    file_names: Sequence[str],
    truth: ArrayLike,
    scores: ArrayLike,
    pictures: Iterable[bytes],
    maps: NDArray[np.uint8] | None = None,
) -> str:
    """The page as HTML: images by average precision, each with its ranked labels, to be filtered and sorted.

    Args:
        title: plain text.
        subtitle: plain text below it.
        classes: L names.
        thresholds: L numbers; a label is predicted where its score reaches that of its class.
        file_names: N names, shown with the images.
        truth: N×L, 0 or 1.
        scores: N×L, from 0 to 1.
        pictures: N thumbnails, JPEG.
        maps: N×L×H×W, where a label looked, for networks that tell; the highest of each is 255. A click on a label of
            an opened image shows it.

    Raises:
        ValueError: the numbers of images do not agree.
    """
    y, h = arrays.masked_alike(truth, scores)
    if maps is not None and maps.shape[:2] != h.shape:
        raise ValueError(f"page: expected maps for {h.shape[0]} images × {h.shape[1]} classes, found {maps.shape}")
    content = {
        **({} if maps is None else {"grid": maps.shape[2:]}),
        "classes": list(classes),
        "thresholds": np.round(np.asarray(thresholds, float), 4).tolist(),
        "images": list(entries(file_names, y, h, decisions.threshold(h, thresholds), maps)),
    }
    return filled(TEMPLATE, title, subtitle, content, pictures, len(y))


def filled(
    template: str, title: str, subtitle: str, content: Mapping[str, Any], pictures: Iterable[bytes], images: int
) -> str:
    """A page as HTML: a template of this folder with what its script reads.

    Args:
        template: the name of its file.
        title: plain text.
        subtitle: plain text below it.
        content: what the script shows, for JSON.
        pictures: thumbnails, JPEG.
        images: how many there have to be.

    Raises:
        ValueError: there are more or fewer thumbnails.
    """
    thumbnails_ = [base64.b64encode(picture).decode() for picture in pictures]
    if len(thumbnails_) != images:
        raise ValueError(f"page: expected a thumbnail for each of {images} images, found {len(thumbnails_)}")
    text, shared = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in (template, SHARED))
    values = {
        "title": html.escape(title),
        "subtitle": html.escape(subtitle),
        "data": json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        "thumbnails": "\n".join(thumbnails_),
    }
    # In one go: what is filled in may itself look like a place to fill.
    return re.sub(r"@(\w+)@", lambda place: values[place[1]], text.replace("@shared@", shared.rstrip()))


def write(
    path: str | Path,
    title: str,
    subtitle: str,
    *,
    labels: LabelMatrix,
    images: str | Path,
    thresholds: ArrayLike,
    scores: ArrayLike,
    maps: NDArray[np.uint8] | None = None,
    workers: int = 1,
) -> None:
    """Write the page of some images.

    Args:
        path: the HTML file.
        title: plain text.
        subtitle: plain text below it.
        labels: of the N images.
        images: the folder that they lie in.
        thresholds: see `page`.
        scores: N×L, in the order of the labels' images.
        maps: see `page`.
        workers: threads that make thumbnails.
    """
    text = page(
        title,
        subtitle,
        classes=labels.classes,
        thresholds=thresholds,
        file_names=labels.file_name,
        truth=labels.truth,
        scores=scores,
        pictures=thumbnails((Path(images) / name for name in labels.file_name), workers=workers),
        maps=maps,
    )
    with complete_or_absent(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def entries(
    file_names: Sequence[str],
    truth: np.ndarray,
    scores: np.ndarray,
    predicted: np.ndarray,
    maps: NDArray[np.uint8] | None = None,
) -> Iterator[list[Any]]:
    """Each image as the page has it: file name, average precision (None without labels), loss, labels.

    The loss is the binary cross-entropy, mean over the classes; masked pairs of image and class count in neither number
    and are shown as absent. A label is [class, rank, score, kind]; kind is the sum of `TRUE` and `PREDICTED`; its map
    follows as text in base64 where there are maps. Listed are the labels of `examples.ranked_predictions`, and all that
    are predicted.
    """
    precision = metrics.average_precision_per_class(truth.T, scores.T)
    mask, truth, scores = np.ma.getmask(truth), np.ma.filled(truth, 0), np.ma.getdata(scores)
    p = np.clip(scores.astype(float), 1e-7, 1 - 1e-7)
    loss = np.ma.filled(-np.ma.masked_array(np.where(truth, np.log(p), np.log1p(-p)), mask).mean(axis=1), 0)
    kinds = TRUE * truth.astype(int) + PREDICTED * predicted
    for row, name in enumerate(file_names):
        labels = [
            [
                j,
                rank,
                round(float(scores[row, j]), 4),
                int(kinds[row, j]),
                *([] if maps is None else [_text(maps[row, j])]),
            ]
            for rank, j in examples.ranked_labels(truth[row], scores[row], predicted[row])
        ]
        quality = round(float(precision[row]), 4) if truth[row].any() else None
        yield [name, quality, round(float(loss[row]), 5), labels]


def thumbnails(paths: Iterable[Path], *, workers: int = 1) -> Iterator[bytes]:
    """Each image as a small JPEG, in order; the aspect ratio is kept.

    Raises:
        decode.ImageError: an image is missing or damaged.
    """
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(_jpeg, paths)


def _text(map_: NDArray[np.uint8]) -> str:
    return base64.b64encode(map_.tobytes()).decode()


def _jpeg(path: Path) -> bytes:
    content = io.BytesIO()
    Image.fromarray(decode.thumbnail(path, SIDE)).save(content, "JPEG", quality=QUALITY, optimize=True)
    return content.getvalue()
