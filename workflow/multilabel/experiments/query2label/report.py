"""The experiment's tables and figures, from the files of its results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.query2label import figures, looks, tables
from multilabel.files import read_json
from multilabel.images.decode import decode
from multilabel.report import verdicts
from multilabel.report.figures import save
from multilabel.report.tables import write_table


def write_table1(metrics: Mapping[str, str], path_stem: str | Path, *, dataset: str, departures: Sequence[str]) -> None:
    """Write Table I of paper 001 beside ours.

    Args:
        metrics: the row that a checkpoint belongs to → its metrics file.
        path_stem: of the table.
        dataset: its name.
        departures: in words, where the configuration is not the paper's.
    """
    rows = tables.table1({row: read_json(path) for row, path in metrics.items()}, departures)
    other = f" Not the paper's: {'; '.join(departures)}." if departures else ""
    write_table(
        pd.DataFrame(rows),
        path_stem,
        f"Table I of paper 001 against {dataset}: mAP in percent over all images, PASCAL VOC's as printed, and "
        f"scikit-learn's. {verdicts.counted(rows)}{other}",
        shown=pd.DataFrame(verdicts.as_text(rows)),
    )


def write_attention(inside: Sequence[str], path_stem: str | Path, *, dataset: str, names: Sequence[str]) -> None:
    """Write how much of the attention falls on a label's own objects.

    Args:
        inside: what `attention.inside` gave for each run.
        path_stem: of the table.
        dataset: its name.
        names: of the runs.
    """
    write_table(
        tables.attention([pd.read_csv(path) for path in inside]),
        path_stem,
        f"Attention on {dataset} by decoder layer: the share of it that falls inside the label's own masks, the share "
        f"of the image that these cover, and the first by the second; over all pairs of image and label of the test "
        f"split, mean of {', '.join(names)}.",
    )


def write_figure(
    examples: str | Path, labels: str, images: str | Path, path_stem: str | Path, *, size: int, orient: bool
) -> None:
    """Draw the attention of the last decoder layer over example images.

    Args:
        examples: what `looks.save` wrote.
        labels: label file of their split.
        images: where they lie.
        path_stem: of the figure.
        size: to which they are resized.
        orient: whether they are turned as their EXIF says.
    """
    found, matrix = looks.load(examples), LabelMatrix.load(labels)
    rows = matrix.rows_of(found.image_id, name=labels, other=str(examples))
    columns = [figures.labels_shown(*pair) for pair in zip(found.scores, matrix.labels[rows], strict=True)]
    titles = [
        [(matrix.classes[j], float(scores[j]), bool(matrix.labels[row, j])) for j in chosen]
        for row, scores, chosen in zip(rows, found.scores, columns, strict=True)
    ]
    pictures = [decode(Path(images, matrix.file_name[row]), (size, size), orient=orient) for row in rows]
    maps = [of_image[-1][np.array(chosen)] for of_image, chosen in zip(found.maps, columns, strict=True)]
    save(figures.attention(pictures, maps, titles), path_stem)
