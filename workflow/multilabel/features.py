"""Bottleneck features: one pass over the images of a split writes every design (Maddox 2017, section 4.2)."""

import csv
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py
import numpy as np

from multilabel import images
from multilabel.files import complete_or_absent
from multilabel.labels import LabelMatrix

if TYPE_CHECKING:
    import keras

Design = tuple[str, str]
"""(preprocess, pooling), such as ("zmuvs", "avg")."""


class Features(NamedTuple):
    """`image_id` int64 (N,) and `features` N×D: float32, or float16 of whole feature maps."""

    image_id: np.ndarray
    features: np.ndarray


def extract(
    labels: LabelMatrix,
    folder: str | Path,
    base: "keras.Model",
    outputs: Mapping[Design, str | Path],
    *,
    skipped: str | Path,
    batch_size: int,
    reading: Mapping[str, Any],
    statistics: images.ChannelStatistics | None = None,
    provenance: Mapping[str, Any],
    report: Callable[[str], None] = print,
) -> None:
    """Write the features of a split: each image is decoded once and runs once through the network per normalisation.

    The next batches are decoded while the network works. All files appear together at the end, or none does.

    Args:
        labels: names the images.
        folder: where they lie.
        base: normalised images → feature map N×h×w×c.
        outputs: the file of each design; `77` holds the map as float16, N×(h·w·c), `avg` and `max` N×c float32.
        skipped: CSV file (path, reason) of the images that were left out; with none it has its header alone.
        batch_size: images per forward pass.
        reading: workers and damaged, see `images.batches`.
        statistics: for `zmuvf`.
        provenance: what each file says of its origin, as the attribute `provenance` (JSON).
        report: takes lines on the progress.

    Raises:
        DamagedImagesError: images are damaged or missing, and `damaged` is "stop".
        ValueError: no image is left.
    """
    import tensorflow as tf

    paths = [Path(folder) / name for name in labels.file_name]
    preprocesses = list(dict.fromkeys(preprocess for preprocess, _ in outputs))
    pooled = {"77": _flat, "avg": _average, "max": _maximum}

    @tf.function(reduce_retracing=True)
    def forward(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {}
        for preprocess in preprocesses:
            feature_map = base(images.normalise(pixels, preprocess, statistics), training=False)
            for pooling in (pooling for kind, pooling in outputs if kind == preprocess):
                found[f"{preprocess}_{pooling}"] = pooled[pooling](feature_map)
        return found

    left_out: list[tuple[Path, str]] = []
    progress = _Progress(len(paths), report)
    with ExitStack() as stack:
        writers = {f"{kind}_{pooling}": stack.enter_context(_writer(path)) for (kind, pooling), path in outputs.items()}
        size = base.input_shape[1:3]
        for rows, pixels in images.batches(paths, size, batch_size, **reading, skipped=left_out):
            for name, values in forward(tf.constant(pixels)).items():
                writers[name].append(labels.image_id[rows], values.numpy())
            progress.add(len(rows))
        if len(left_out) == len(paths):
            raise ValueError(f"{folder}: expected at least one readable image of {len(paths)}, found none")
        for writer in writers.values():
            writer.finish(provenance)
        with complete_or_absent(skipped) as temporary, temporary.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("path", "reason"), *left_out])
    progress.finish()


def load(path: str | Path) -> Features:
    """Read a feature file into memory.

    Raises:
        ValueError: it is missing, cut short or something else; the message names it.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            return Features(file["image_id"][()], file["features"][()])
    except (OSError, KeyError) as error:
        raise ValueError(
            f"{path}: expected HDF5 with image_id and features; {error}. Remove it to make it again"
        ) from error


class _Writer:
    """A feature file that grows by batches."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file
        self.image_id: list[np.ndarray] = []

    def append(self, image_id: np.ndarray, values: np.ndarray) -> None:
        if "features" not in self.file:
            rows = max(1, (1 << 20) // values[0].nbytes)
            shape = (rows, values.shape[1])
            self.file.create_dataset("features", (0, shape[1]), values.dtype, maxshape=(None, shape[1]), chunks=shape)
        stored = self.file["features"]
        stored.resize(len(stored) + len(values), axis=0)
        stored[-len(values) :] = values
        self.image_id.append(image_id)

    def finish(self, provenance: Mapping[str, Any]) -> None:
        self.file["image_id"] = np.concatenate(self.image_id)
        self.file.attrs["provenance"] = json.dumps(provenance, sort_keys=True)


@contextmanager
def _writer(path: str | Path) -> Iterator[_Writer]:
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        yield _Writer(file)


class _Progress:
    """A line every ten seconds, and one at the end."""

    def __init__(self, total: int, report: Callable[[str], None]) -> None:
        self.total, self.done, self.report = total, 0, report
        self.started = self.told = time.monotonic()

    def add(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.told >= 10:
            self.told = now
            rate = self.done / (now - self.started)
            left = (self.total - self.done) / rate / 60
            self.report(f"{self.done} of {self.total} images, {rate:.1f} images/s, {left:.0f} min left")

    def finish(self) -> None:
        seconds = time.monotonic() - self.started
        self.report(f"{self.done} of {self.total} images in {seconds:.1f} s, {self.done / seconds:.1f} images/s")


def _flat(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tf.reshape(feature_map, [tf.shape(feature_map)[0], -1]), tf.float16)


def _average(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(feature_map, axis=[1, 2])


def _maximum(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_max(feature_map, axis=[1, 2])
