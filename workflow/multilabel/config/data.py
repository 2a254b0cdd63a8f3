"""What a configuration asks of the data that are at hand, before any job: cheap to read, or not read at all."""

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from multilabel.config.dataset import Source
from multilabel.config.sections import ConfigError
from multilabel.config.shared import Shared

if TYPE_CHECKING:
    from multilabel.datasets.labels import LabelMatrix

READ = {"coco": 32_000_000, "csv": 2_000_000}
"""Bytes of annotations that are read whole, in a second at most; of larger files, only what is quick."""
HEAD = 1_000_000
"""Bytes at either end of a larger file among which its categories are looked for."""
CLASSES = {"shapes": 12, "msrc": 23, "scene": 5, "voc": 20}
"""Classes of the datasets that always have the same."""


def check(config: Shared) -> None:
    """Check what the configuration asks of the data that are at hand: number of classes, labels, images, splits.

    Raises:
        ConfigError: the data are wrong, or do not have what a key asks for.
    """
    kind, sources = config.dataset.kind, [config.dataset.train]
    if not config.dataset.test.fraction:
        sources.append(config.dataset.test)
    if kind in CLASSES:
        config.require_classes(CLASSES[kind])
        return
    paths = [Path(source.annotations) for source in sources]
    if not all(path.is_file() for path in paths):
        return  # they are fetched by a job
    if all(path.stat().st_size <= READ[kind] for path in paths):
        matrices = _splits(config)
        config.require_classes(len(matrices["train"].classes))
        config.require_images(matrices)
    elif (count := _classes(kind, paths[0])) is not None:
        config.require_classes(count)


def _splits(config: Shared) -> Mapping[str, "LabelMatrix"]:
    """The label matrix of each split, as the workflow makes it."""
    from multilabel.datasets import labels, read_labels  # here: larger files need none of it

    dataset = config.dataset

    def read(source: Source) -> "LabelMatrix":
        return read_labels(dataset.kind, source.annotations, source.images, crowds=dataset.crowds)

    try:
        matrices = labels.splits(
            read(dataset.train),
            None if dataset.test.fraction else read(dataset.test),
            held_out_test=(dataset.test.fraction, dataset.test.seed),
            held_out_validation=(dataset.validation.fraction, dataset.validation.seed),
        )
    except (ValueError, OSError) as error:
        raise ConfigError(str(error)) from error
    return dict(zip(config.splits, matrices, strict=True))


def _classes(kind: str, path: Path) -> int | None:
    """The number of classes of a large file, from its ends; None: they do not tell."""
    with path.open("rb") as file:
        start = file.read(HEAD)
        file.seek(max(0, path.stat().st_size - HEAD))
        parts = [part.decode(errors="replace") for part in (file.read(), start)]
    if kind == "csv":
        line = parts[1].removeprefix("\ufeff").lstrip("\r\n").partition("\n")[0]
        headers = [next(csv.reader(io.StringIO(line), delimiter=separator), []) for separator in ",;\t"]
        return len([name for name in max(headers, key=len)[1:] if name.strip() != "image_id"])
    for part in parts:
        for match in re.finditer(r'"categories"\s*:\s*(?=\[)', part):
            try:
                return len(json.JSONDecoder().raw_decode(part, match.end())[0])
            except json.JSONDecodeError:
                continue
    return None
