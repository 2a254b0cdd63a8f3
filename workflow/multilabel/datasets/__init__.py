"""One module per source of images and labels: what lies on disk becomes a `LabelMatrix` and image paths."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from multilabel.datasets.labels import LabelMatrix


def read_labels(
    kind: str,
    annotations: str | Path,
    images: str | Path | None,
    *,
    crowds: bool,
    coverage: bool = False,
    difficult: Literal["present", "absent", "ignore"] = "present",
) -> "LabelMatrix":
    """The label matrix of a source.

    Args:
        kind: `coco` (`shapes` are written in that format), `csv`, `msrc`, `scene` or `voc`.
        annotations: the file, or for MSRC v2 perhaps the folder, that has the labels.
        images: the folder of the images; COCO's files do without.
        crowds: whether COCO's crowd annotations count.
        coverage: whether COCO's masks are measured, too.
        difficult: what objects of VOC count as that are hard to recognise.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not what its kind says; the message names it.
    """
    from multilabel.datasets import coco, msrc, scene, table, voc  # here: the plan of the workflow needs none of them

    if kind in ("coco", "shapes"):
        return (coco.read_coverage if coverage else coco.read_labels)(annotations, crowds=crowds)
    if images is None:
        raise ValueError(f"{annotations}: labels of kind {kind} need the folder of their images")
    if kind == "voc":
        return voc.read_labels(annotations, images, difficult=difficult)
    return {"csv": table, "msrc": msrc, "scene": scene}[kind].read_labels(annotations, images)
