"""Where labels looked: attention over example images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from multilabel.report.figures import PAGE, style

LABELS = 4
"""Maps beside an image."""


def labels_shown(scores: NDArray[np.floating], truth: NDArray[np.uint8], count: int = LABELS) -> list[int]:
    """Columns of the labels whose maps are shown of an image: those it has, then those that score highest."""
    order = np.argsort(-scores, kind="stable")
    return [*[j for j in order if truth[j]], *[j for j in order if not truth[j]]][:count]


@style()
def attention(
    images: Sequence[NDArray[np.uint8]],
    maps: Sequence[NDArray[np.floating]],
    titles: Sequence[Sequence[tuple[str, float, bool]]],
) -> Figure:
    """A row per image: it, then where labels looked, bright where they looked most. True labels are bold.

    Args:
        images: H×W×3 each.
        maps: for each image k×h×w, of the labels shown.
        titles: for each of these the label, its score and whether the image has it.
    """
    columns = 1 + max(len(found) for found in maps)
    cell = PAGE / max(columns, 5)
    figure = Figure(figsize=(cell * columns, (cell + 0.12) * len(images)))
    panels = figure.subplots(len(images), columns, squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    for row, image, of_image, names in zip(panels, images, maps, titles, strict=True):
        row[0].imshow(image)
        for axes, weights, (name, score, true) in zip(row[1:], of_image, names, strict=False):
            axes.imshow(image.mean(axis=-1), cmap="gray", vmin=0, vmax=255)
            axes.imshow(_enlarged(weights, image.shape[:2]), cmap="inferno", alpha=0.65, vmin=0, vmax=1)
            axes.set_title(f"{name} {score:.2f}", fontweight="bold" if true else "normal", fontsize=6, pad=2)
    return figure


def _enlarged(weights: NDArray[np.floating], size: Sequence[int]) -> NDArray[np.float32]:
    """A map of the image's size, its highest weight 1."""
    picture = Image.fromarray((weights / max(float(weights.max()), 1e-12)).astype(np.float32))
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BICUBIC)).clip(0, 1)
