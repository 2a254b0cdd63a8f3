"""Bottleneck features: one pass over the images of a split writes every design (Maddox 2017, section 4.2)."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multilabel import provenance as origin
from multilabel.datasets.labels import LabelMatrix
from multilabel.features import pooling
from multilabel.features.files import Design, design_name
from multilabel.features.parts import Part, finish
from multilabel.images.decode import batches
from multilabel.images.normalise import ChannelStatistics

if TYPE_CHECKING:
    import keras


def extract(
    labels: LabelMatrix,
    folder: str | Path,
    base: "keras.Model",
    outputs: Mapping[Design, str | Path],
    *,
    skipped: str | Path,
    **options: Any,
) -> None:
    """Write the features of a split: each image is decoded once and runs once through the network per normalisation.

    The next batches are decoded and the last one is written while the network works. All files appear together at the
    end, or none does. The same call after an interruption goes on where that came.

    Args:
        labels: names the images.
        folder: where they lie.
        base: normalised images → feature map N×h×w×c.
        outputs: the file of each design; `77` holds the map as float16, N×(h·w·c), `avg` and `max` N×c float32.
        skipped: CSV file (path, reason) of the images that were left out; with none it has its header alone.
        options: batch_size, reading, provenance and others; see `extract_part`.

    Raises:
        DamagedImagesError: images are damaged or missing, and `damaged` is "stop".
        ValueError: no image is left.
    """
    part = extract_part(labels, folder, base, outputs, skipped=skipped, **options)
    finish(outputs, [part], Path(skipped))


def extract_part(
    labels: LabelMatrix,
    folder: str | Path,
    base: "keras.Model",
    outputs: Mapping[Design, str | Path],
    *,
    skipped: str | Path,
    part: tuple[int, int] = (0, 1),
    batch_size: int,
    reading: Mapping[str, Any],
    statistics: ChannelStatistics | None = None,
    provenance: Mapping[str, Any],
    xla: bool = False,
    mixed_precision: bool = False,
    report: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Extract some batches of a split into the files that `parts.gather` completes; other jobs may extract others.

    Args:
        labels: see `extract`.
        folder: see `extract`.
        base: see `extract`.
        outputs: see `extract`.
        skipped: see `extract`.
        part: which one, from 0, of how many; they differ by one batch at most.
        batch_size: images per forward pass; the last one is filled up, so that all have the same shape.
        reading: workers, damaged and orient, see `batches`.
        statistics: for `zmuvf`.
        provenance: what each file says of its origin, as the attribute `provenance` (JSON).
        xla: compile the network with XLA.
        mixed_precision: run the network in float16; its weights and the pooling stay float32.
        report: takes lines on the progress.

    Returns:
        What `parts.gather` needs to know of the part, for JSON.

    Raises:
        DamagedImagesError: images are damaged or missing, and `damaged` is "stop".
    """
    size = base.input_shape[1:3]
    about = json.dumps(provenance, sort_keys=True)
    key = origin.key(
        {
            "provenance": about,
            "weights": hashlib.sha256(b"".join(weight.tobytes() for weight in base.get_weights())).hexdigest(),
            "images": hashlib.sha256(repr((labels.image_id.tolist(), labels.file_name)).encode()).hexdigest(),
            "outputs": list(outputs),
            "forward": [size, batch_size, statistics, xla, mixed_precision, reading.get("orient", True)],
            "versions": origin.versions(),
        }
    )
    batch_count = -(-len(labels) // batch_size)
    first, last = (min(batch_count * index // part[1] * batch_size, len(labels)) for index in (part[0], part[0] + 1))
    forward = pooling.compiled(base, list(outputs), statistics, xla=xla, mixed_precision=mixed_precision)
    names = [design_name(design) for design in outputs]
    growing = Part(labels, Path(folder), Path(skipped), key, (first, last), names, about)
    growing.restore(keep_left_out=reading["damaged"] == "skip", report=report)
    report(f"the orientation in EXIF is {'applied' if reading.get('orient', True) else 'ignored'}")
    start, paths = growing.done, growing.paths[growing.done : last]
    left_out = [(Path(path), reason) for _, path, reason in growing.left_out]
    progress = _Progress(last - start, report)
    with growing, ThreadPoolExecutor(1) as writing:
        written: Future[None] | None = None
        for rows, pixels in batches(paths, size, batch_size, **reading, skipped=left_out):
            found = forward(_filled_up(pixels, batch_size))
            if written:
                written.result()
                progress.tell(growing.done - start)
            written = writing.submit(growing.write, start + rows, found, dict(left_out))
        if written:
            written.result()
        growing.advance(last, dict(left_out))
    progress.finish()
    return growing.record


class _Progress:
    """A line every ten seconds, and one at the end."""

    def __init__(self, total: int, report: Callable[[str], None]) -> None:
        self.total, self.report = total, report
        self.started = self.told = time.monotonic()

    def tell(self, done: int) -> None:
        now = time.monotonic()
        if now - self.told >= 10:
            self.told = now
            rate = done / (now - self.started)
            left = (self.total - done) / rate / 60
            self.report(f"{done} of {self.total} images, {rate:.1f} images/s, {left:.0f} min left")

    def finish(self) -> None:
        seconds = time.monotonic() - self.started
        self.report(f"{self.total} of {self.total} images in {seconds:.1f} s, {self.total / seconds:.1f} images/s")


def _filled_up(pixels: np.ndarray, count: int) -> np.ndarray:
    """A batch of `count` images, black ones after those that are there."""
    return np.concatenate([pixels, np.zeros((count - len(pixels), *pixels.shape[1:]), np.uint8)])
