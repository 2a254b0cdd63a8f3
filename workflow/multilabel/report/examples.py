"""Example images with their ranked predictions: which images, and their table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from multilabel.evaluation import decisions
from multilabel.evaluation.predictions import Predictions


def choose_examples(truth: ArrayLike, scores: ArrayLike, image_id: ArrayLike, n: int = 5) -> NDArray[np.intp]:
    """Rows of `n` example images, from all labels found to none, with several labels where possible.

    An image's quality is the share of its labels among as many highest scores. Wanted are qualities spread evenly from
    1 to 0; for each, the image that is nearest, then nearest to four labels, then the one with the smallest id.

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        image_id: N.
        n: how many; fewer are given where fewer images have labels.

    Returns:
        Row indices, best image first.
    """
    truth, scores, image_id = np.asarray(truth), np.asarray(scores), np.asarray(image_id)
    candidates = np.flatnonzero(truth.any(axis=1))
    y = truth[candidates].astype(bool)
    cardinality = y.sum(axis=1)
    predicted = np.asarray(decisions.top_k_per_image(scores[candidates], y)).astype(bool)
    quality = (y & predicted).sum(axis=1) / cardinality
    chosen: list[int] = []
    for wanted in np.linspace(1, 0, min(n, len(candidates))):
        distance = np.round(np.abs(quality - wanted), 9)
        order = np.lexsort((image_id[candidates], np.abs(cardinality - 4), distance))
        chosen.append(next(i for i in order if i not in chosen))
    return candidates[sorted(chosen, key=lambda i: (-quality[i], chosen.index(i)))]


def rows_of(test: Predictions, image_ids: Sequence[int] = (), n: int = 5) -> NDArray[np.intp]:
    """The rows of the images asked for, in that order; without any, those of `choose_examples`.

    Raises:
        ValueError: an image asked for is not in the split or has no labels; the message lists all such ids.
    """
    if not len(image_ids):
        return choose_examples(test.truth, test.scores, test.image_id, n)
    row_of = {int(image): row for row, image in enumerate(test.image_id)}
    unknown = [image for image in image_ids if image not in row_of]
    if unknown:
        raise ValueError(
            f"example images: expected ids of labelled images of the test split, found {', '.join(map(str, unknown))}"
        )
    return np.array([row_of[image] for image in image_ids], dtype=np.intp)


def ranked_predictions(truth: ArrayLike, scores: ArrayLike, classes: Sequence[str]) -> pd.DataFrame:
    """One image's highest scores, as many as it has labels (2 to 8), and its remaining true labels with their ranks.

    Args:
        truth: L, 0 or 1.
        scores: L; equal scores rank in the order of the classes.
        classes: L names.

    Returns:
        Columns rank (from 1), label, score, true.
    """
    truth, scores = np.asarray(truth).astype(bool), np.asarray(scores)
    return pd.DataFrame(
        [(rank, classes[j], float(scores[j]), bool(truth[j])) for rank, j in ranked_labels(truth, scores)],
        columns=["rank", "label", "score", "true"],
    )


def ranked_labels(truth: ArrayLike, scores: ArrayLike, also: ArrayLike = 0) -> list[tuple[int, int]]:
    """Rank (from 1) and column of the labels that `ranked_predictions` lists, and of those that are 1 in `also`."""
    truth, scores = np.asarray(truth).astype(bool), np.asarray(scores)
    order = np.argsort(-scores, kind="stable").tolist()
    first, wanted = np.clip(truth.sum(), 2, 8), truth | np.asarray(also, bool)
    return [(rank, j) for rank, j in enumerate(order, start=1) if rank <= first or wanted[j]]


def table(
    truth: ArrayLike, scores: ArrayLike, classes: Sequence[str], rows: Sequence[int], titles: Sequence[str]
) -> pd.DataFrame:
    """One row per prediction: image, rank, label, score, true.

    Args:
        truth: N×L, 0 or 1.
        scores: N×L.
        classes: L names.
        rows: the rows of `truth` and `scores` that are the example images.
        titles: a name for each, such as "Fig. 7a".
    """
    truth, scores = np.asarray(truth), np.asarray(scores)
    parts = []
    for row, title in zip(rows, titles, strict=True):
        part = ranked_predictions(truth[row], scores[row], classes)
        part.insert(0, "image", title)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def side_by_side(table: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The table with two columns per image, as it is printed, and which of its cells are bold: `shown` and `bold`."""
    images = list(table.groupby("image", sort=False))
    height = max(len(part) for _, part in images)
    columns, bold = [], np.zeros((height, 2 * len(images)), dtype=bool)
    for j, (title, part) in enumerate(images):
        labels = [f"{rank} {label}" for rank, label in zip(part["rank"], part["label"], strict=True)]
        scores = [f"{score:.2f}" for score in part["score"]]
        padding = [""] * (height - len(part))
        columns.append(pd.DataFrame({title: labels + padding, "pred": scores + padding}))
        bold[: len(part), 2 * j] = part["true"]
    return pd.concat(columns, axis=1), bold
