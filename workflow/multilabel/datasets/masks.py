"""Where in an image each class is: the masks of a JSON file in COCO's format."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools.coco import COCO


class Masks:
    """The masks of all images of a file.

    Args:
        annotations: the JSON file.
        crowds: whether annotations of crowds count.
    """

    def __init__(self, annotations: str | Path, *, crowds: bool = False) -> None:
        self.path, self.crowds, self.content = annotations, crowds, COCO()
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
            self.content.dataset = json.loads(Path(annotations).read_text(encoding="utf-8-sig"))
            self.content.createIndex()
        self.column = {category: place for place, category in enumerate(sorted(self.content.cats))}

    def shares(self, image_id: int, grid: tuple[int, int]) -> dict[int, np.ndarray]:
        """For each class of an image, by its column, the share of each cell of a grid that its objects cover.

        Args:
            image_id: which image.
            grid: rows and columns.

        Returns:
            Column → float32 of the grid's shape.

        Raises:
            ValueError: an object has no mask; the message names file and annotation.
        """
        together: dict[int, np.ndarray] = {}
        for found in self.content.imgToAnns[image_id]:
            if self.crowds or not found.get("iscrowd"):
                column = self.column[found["category_id"]]
                together[column] = together.get(column, False) | self._mask(found)
        return {column: cells(mask, grid) for column, mask in together.items()}

    def _mask(self, annotation: dict[str, Any]) -> np.ndarray:
        try:
            return self.content.annToMask(annotation).astype(bool)
        except Exception as error:  # of its C code, of many kinds
            raise ValueError(
                f"{self.path}: annotation {annotation.get('id')}: expected a mask (segmentation as polygons or run "
                f"lengths) of an image with height and width, found {str(annotation.get('segmentation'))[:40]}"
            ) from error


def cells(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """The share of each cell of a grid, rows × columns, that a mask, bool H×W, covers.

    >>> cells(np.array([[True, False], [True, False]]), (1, 2)).tolist()
    [[1.0, 0.0]]
    """
    picture = Image.fromarray(mask.astype(np.float32))
    return np.asarray(picture.resize(grid[::-1], Image.Resampling.BOX))
