"""A page that compares models image by image: where one is right and the other wrong, in one HTML file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilabel import arrays
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, metrics
from multilabel.files import complete_or_absent
from multilabel.report import gallery

TEMPLATE = "image_comparison.html"
UNITS = 1000
"""Scores and average precisions are in thousandths on the page."""


class Model(NamedTuple):
    """One of the models: its title, plain text; its scores, N×L; and its thresholds, L."""

    title: str
    scores: ArrayLike
    thresholds: ArrayLike


def page(
    title: str,
    subtitle: str,
    *,
    classes: Sequence[str],
    file_names: Sequence[str],
    truth: ArrayLike,
    models: Sequence[Model],
    pictures: Iterable[bytes],
) -> str:
    """The page as HTML: the reader picks two models, filters by class and by which of them is right, and sorts.

    A model is right about a label of an image where it predicts it and it is true, or neither. Counted are the labels
    that are true or that one of the two predicts.

    Args:
        title: plain text.
        subtitle: plain text below it.
        classes: L names.
        file_names: N names, shown with the images.
        truth: N×L, 0 or 1; where it is masked, or the scores of a model are, a label counts for no model.
        models: two or more; the page opens with the first two.
        pictures: N thumbnails, JPEG.

    Raises:
        ValueError: fewer than two models, or the numbers of images or classes do not agree; the message names the
            model.
    """
    if len(models) < 2:
        raise ValueError(f"page: expected at least 2 models to compare, found {len(models)}")
    content = {"classes": list(classes), "images": list(file_names), **compared(truth, models)}
    if len(content["counts"]) != len(content["images"]):
        raise ValueError(f"page: expected {len(content['counts'])} file names, found {len(content['images'])}")
    return gallery.filled(TEMPLATE, title, subtitle, content, pictures, len(content["images"]))


def write(
    path: str | Path,
    title: str,
    subtitle: str,
    *,
    labels: LabelMatrix,
    images: str | Path,
    models: Sequence[Model],
    workers: int = 1,
) -> None:
    """Write the page of some images.

    Its size is that of the thumbnails, 4 KB per image, and about 10 bytes for each model and each label that is true or
    that any model predicts.

    Args:
        path: the HTML file.
        title: plain text.
        subtitle: plain text below it.
        labels: of the N images.
        images: the folder that they lie in.
        models: see `page`; scores in the order of the labels' images.
        workers: threads that make thumbnails.
    """
    text = page(
        title,
        subtitle,
        classes=labels.classes,
        file_names=labels.file_name,
        truth=labels.truth,
        models=models,
        pictures=gallery.thumbnails((Path(images) / name for name in labels.file_name), workers=workers),
    )
    with complete_or_absent(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def compared(truth: ArrayLike, models: Sequence[Model]) -> dict[str, Any]:
    """What the page has of the labels and of each model.

    Listed are the pairs of image and label that are true or that any model predicts, P in all, image by image:
    `counts`, how many each image has; `labels`, the class of each; `true`, "1" or "0" for each. `models` has of each
    its title and thresholds; `precision`, the average precision of each image in thousandths, None without labels; and
    of each pair `predicted`, "1" or "0", `scores` in thousandths and `ranks` from 1 among all classes of the image.

    Raises:
        ValueError: labels, scores and thresholds do not fit together; the message names the model.
    """
    checked = [_checked(truth, model) for model in models]
    mask = np.logical_or.reduce([np.ma.getmaskarray(h) for _, h in checked])
    y = np.ma.filled(checked[0][0], False) & ~mask
    predicted = [_decided(h, model) & ~mask for (_, h), model in zip(checked, models, strict=True)]
    listed = np.logical_or.reduce([y, *predicted])
    return {
        "counts": listed.sum(axis=1).tolist(),
        "labels": np.nonzero(listed)[1].tolist(),
        "true": _bits(y[listed]),
        "models": [
            {
                "title": model.title,
                "thresholds": np.round(np.asarray(model.thresholds, float), 4).tolist(),
                **_of_model(y, np.ma.masked_array(h, mask), z, listed),
            }
            for model, (_, h), z in zip(models, checked, predicted, strict=True)
        ],
    }


def _checked(truth: ArrayLike, model: Model) -> tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]:
    try:
        return arrays.masked_alike(truth, model.scores)
    except ValueError as error:
        raise ValueError(f"{model.title}: {error}") from error


def _decided(scores: NDArray[np.floating[Any]], model: Model) -> NDArray[np.bool_]:
    if np.shape(model.thresholds) != scores.shape[1:]:
        raise ValueError(
            f"{model.title}: expected a threshold for each of {scores.shape[1]} classes, "
            f"found an array of shape {np.shape(model.thresholds)}"
        )
    return decisions.threshold(scores, model.thresholds).astype(bool)


def _of_model(
    truth: NDArray[np.bool_],
    scores: np.ma.MaskedArray[Any, Any],
    predicted: NDArray[np.bool_],
    listed: NDArray[np.bool_],
) -> dict[str, Any]:
    precision = _thousandths(metrics.average_precision_per_image(truth, scores)).tolist()
    order = np.argsort(-np.ma.filled(scores, -np.inf), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, order.shape[1] + 1)[np.newaxis], axis=1)
    labelled = np.any(truth, axis=1).tolist()
    return {
        "precision": [value if some else None for value, some in zip(precision, labelled, strict=True)],
        "predicted": _bits(predicted[listed]),
        "scores": _thousandths(np.ma.getdata(scores)[listed]).tolist(),
        "ranks": ranks[listed].tolist(),
    }


def _thousandths(values: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    return np.rint(UNITS * values.astype(float)).astype(np.int64)


def _bits(values: NDArray[np.bool_]) -> str:
    return (ord("0") + values.astype(np.uint8)).tobytes().decode("ascii")
