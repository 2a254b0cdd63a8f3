"""Bottleneck features: one pass over the images of a split writes every design (Maddox 2017, section 4.2).

The files grow beside their places, under names that hold a key of all that they depend on. Each has its final size from
the start, so that every image's row has its place in it: who is killed goes on after the rows that a journal names,
several jobs fill one file, and what is complete only needs its name.
"""

import csv
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import h5py
import numpy as np

from multilabel import images
from multilabel import provenance as origin
from multilabel.datasets.labels import LabelMatrix
from multilabel.files import complete_or_absent, read_json, write_json

if TYPE_CHECKING:
    import keras

SAVE_SECONDS = 5.0
"""How often the journal is written: what a killed job loses at most, but for the batch it was at."""
BLOCK = 1 << 24
"""Bytes that are read at once where rows are checked or copied."""

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
    _finish(outputs, [part], Path(skipped))


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
    statistics: images.ChannelStatistics | None = None,
    provenance: Mapping[str, Any],
    xla: bool = False,
    mixed_precision: bool = False,
    report: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Extract some batches of a split into the files that `gather` completes; other jobs may extract others meanwhile.

    Args:
        labels: see `extract`.
        folder: see `extract`.
        base: see `extract`.
        outputs: see `extract`.
        skipped: see `extract`.
        part: which one, from 0, of how many; they differ by one batch at most.
        batch_size: images per forward pass; the last one is filled up, so that all have the same shape.
        reading: workers and damaged, see `images.batches`.
        statistics: for `zmuvf`.
        provenance: what each file says of its origin, as the attribute `provenance` (JSON).
        xla: compile the network with XLA.
        mixed_precision: run the network in float16; its weights and the pooling stay float32.
        report: takes lines on the progress.

    Returns:
        What `gather` needs to know of the part, for JSON.

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
            "designs": list(outputs),
            "forward": [size, batch_size, statistics, xla, mixed_precision],
            "versions": origin.versions(),
        }
    )
    batch_count = -(-len(labels) // batch_size)
    first, last = (min(batch_count * index // part[1] * batch_size, len(labels)) for index in (part[0], part[0] + 1))
    forward = _compile(base, list(outputs), statistics, xla=xla, mixed_precision=mixed_precision)
    names = [_name(design) for design in outputs]
    growing = _Part(labels, Path(folder), Path(skipped), key, (first, last), names, about)
    growing.restore(keep_left_out=reading["damaged"] == "skip", report=report)
    start, paths = growing.done, growing.paths[growing.done : last]
    left_out = [(Path(path), reason) for _, path, reason in growing.left_out]
    progress = _Progress(last - start, report)
    with growing, ThreadPoolExecutor(1) as writing:
        written: Future[None] | None = None
        for rows, pixels in images.batches(paths, size, batch_size, **reading, skipped=left_out):
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


def gather(outputs: Mapping[Design, str | Path], records: Sequence[str | Path], *, skipped: str | Path) -> None:
    """Check the rows of all parts of a split and give the files that they filled their names; nothing is copied.

    Only where images were left out, the rows of the others are.

    Args:
        outputs: see `extract`.
        records: JSON files of what `extract_part` gave for each part.
        skipped: see `extract`.

    Raises:
        ValueError: no image is left; or a part's rows are not those that it wrote: then its record is removed, so that
            running again makes them again.
    """
    parts = [read_json(path) for path in records]
    if len({part["key"] for part in parts}) > 1:
        wrong = dict.fromkeys(map(str, records), "the parts come from different configurations, inputs or versions")
    else:
        wrong = {str(path): text for path, part in zip(records, parts, strict=True) if (text := _fault(part, skipped))}
    if wrong:
        for path in wrong:
            Path(path).unlink()
        lines = [f"  {path}: {text}" for path, text in wrong.items()]
        raise ValueError("\n".join([f"{len(wrong)} part(s) must be made again; run again to do so:", *lines]))
    _finish(outputs, parts, Path(skipped))


def load(path: str | Path) -> Features:
    """Read a feature file into memory.

    Raises:
        ValueError: it is missing, cut short or something else; the message names it.
    """
    with opened(path) as file:
        return Features(file["image_id"][()], file["features"][()])


@contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """A feature file, open for reading: `image_id` int64 (N,) and `features` N×D.

    Raises:
        ValueError: it is missing, cut short or something else, now or while it is read; the message names it.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except (OSError, KeyError) as error:
        raise ValueError(
            f"{path}: expected HDF5 with image_id and features; {error}. Remove it to make it again"
        ) from error


class _Part:
    """Rows first…last of the growing files, and the journal that says how many of them are done.

    The journal is written after the rows. It holds their checksums and one of the images' sizes and times: what was
    damaged or has changed since is made again.
    """

    def __init__(
        self,
        labels: LabelMatrix,
        folder: Path,
        skipped: Path,
        key: str,
        rows: tuple[int, int],
        names: Sequence[str],
        about: str,
    ) -> None:
        self.labels, self.skipped, self.about = labels, skipped, about
        self.paths = [folder / name for name in labels.file_name]
        self.record: dict[str, Any] = {"key": key, "folder": str(folder), "first": rows[0], "last": rows[1]}
        self.record |= {"done": rows[0], "left_out": [], "sources": 0, "crc32": dict.fromkeys(names, 0)}
        self.journal = _journal(self.record, skipped)
        self.places: dict[str, tuple[int, int]] = {}
        self.saved = time.monotonic()

    @property
    def done(self) -> int:
        """The row before which all are done."""
        return int(self.record["done"])

    @property
    def left_out(self) -> list[tuple[int, str, str]]:
        """(row, path, reason) of the images that have no features."""
        return self.record["left_out"]

    def restore(self, *, keep_left_out: bool, report: Callable[[str], None]) -> None:
        """Take the journal for true where it is whole and fits to the files; remove state of other keys."""
        for path in _states(self.skipped):
            if not path.name.startswith(_state(self.skipped, self.record["key"], "").name):
                path.unlink(missing_ok=True)
        if not self.journal.exists():
            return
        try:
            found = read_json(self.journal)
            if found["last"] != self.record["last"]:
                raise ValueError("it is of another division into shards")
            if found["left_out"] and not keep_left_out:
                raise ValueError("images were left out, which dataset.damaged_images no longer allows")
            if found["sources"] != self._sources(found["first"], found["done"], 0):
                raise ValueError("images have changed")
            if fault := _fault(found, self.skipped):
                raise ValueError(fault)
        except (OSError, ValueError, KeyError, TypeError) as error:
            report(f"{self.journal}: unusable state ({error}); extraction starts from image {self.record['first']}")
            self.journal.unlink()
            return
        self.record = found
        for name in found["crc32"] if self.done > len(self.left_out) + self.record["first"] else []:
            with h5py.File(_state(self.skipped, found["key"], f"{name}.h5"), "r", locking=False) as file:
                width, dtype = file["features"].shape[1], file["features"].dtype
            self.places[name] = self._lay_out(name, width, dtype)
        report(f"extraction goes on after image {self.done} of {self.record['last']}")

    def __enter__(self) -> "_Part":
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.save()
        finally:
            for descriptor, _ in self.places.values():
                os.close(descriptor)

    def write(self, rows: np.ndarray, found: Mapping[str, Any], left_out: Mapping[Path, str]) -> None:
        """Write the features of some rows; the images between them were left out."""
        for name, tensor in found.items():
            values = np.ascontiguousarray(tensor[: len(rows)])
            if name not in self.places:
                self.places[name] = self._lay_out(name, values.shape[1], values.dtype)
            descriptor, offset = self.places[name]
            for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) > 1) + 1):
                _write(descriptor, values[run], offset + int(rows[run[0]]) * values[0].nbytes)
            self.record["crc32"][name] = crc32(values.data, self.record["crc32"][name])
        self.advance(int(rows[-1]) + 1, left_out)
        if time.monotonic() - self.saved >= SAVE_SECONDS:
            self.save()

    def advance(self, done: int, left_out: Mapping[Path, str]) -> None:
        """All rows before `done` are written or left out."""
        for row in range(self.done, done):
            if (path := self.paths[row]) in left_out:
                self.record["left_out"].append([row, str(path), left_out[path]])
        self.record["sources"] = self._sources(self.done, done, self.record["sources"])
        self.record["done"] = done

    def save(self) -> None:
        """Bring the files, then the journal, to the disk."""
        if self.places:
            for descriptor, _ in self.places.values():
                os.fsync(descriptor)
            write_json(self.journal, self.record)
        self.saved = time.monotonic()

    def _lay_out(self, name: str, width: int, dtype: np.dtype[Any]) -> tuple[int, int]:
        path = _state(self.skipped, self.record["key"], f"{name}.h5")
        return _lay_out(path, (len(self.labels), width), dtype, self.labels.image_id, self.about)

    def _sources(self, first: int, done: int, value: int) -> int:
        """A running checksum of the names, sizes and times of images."""
        for path in self.paths[first:done]:
            with suppress(OSError):
                status = path.stat()
                value = crc32(f"{path.name} {status.st_size} {status.st_mtime_ns}".encode(), value)
        return value


def _finish(outputs: Mapping[Design, str | Path], parts: Sequence[Mapping[str, Any]], skipped: Path) -> None:
    """Name the complete files, write the list of left out images, and remove the state."""
    left_out = [entry for part in parts for entry in part["left_out"]]
    total = sum(part["last"] - part["first"] for part in parts)
    if len(left_out) == total:
        raise ValueError(f"{parts[0]['folder']}: expected at least one readable image of {total}, found none")
    with complete_or_absent(skipped) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("path", "reason"), *(entry[1:] for entry in left_out)])
    for design, path in outputs.items():
        state = _state(skipped, parts[0]["key"], f"{_name(design)}.h5")
        if left_out:
            with complete_or_absent(path) as temporary:
                _copy(state, temporary, np.delete(np.arange(total), [row for row, *_ in left_out]))
        else:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            state.replace(path)
    for path in _states(skipped):
        path.unlink()


def _lay_out(
    path: Path, shape: tuple[int, int], dtype: np.dtype[Any], image_id: np.ndarray, about: str
) -> tuple[int, int]:
    """Make the file of features, or only its head again, whoever else does so: the bytes are the same.

    `features` is one contiguous block of the file, so that a row has a place in it before others are written.

    Returns:
        A descriptor of the file and the place of its first row.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix=f"{path.stem}-", dir=path.parent) as temporary:
        with h5py.File(temporary.name, "w") as file:
            file["image_id"] = image_id
            file.attrs["provenance"] = about
            layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            layout.set_layout(h5py.h5d.CONTIGUOUS)
            layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            layout.set_obj_track_times(False)
            kind, space = h5py.h5t.py_create(dtype, logical=True), h5py.h5s.create_simple(shape)
            offset = h5py.h5d.create(file.id, b"features", kind, space, layout).get_offset()
        end = offset + shape[0] * shape[1] * dtype.itemsize
        head = temporary.read(offset)
        temporary.seek(end)
        tail = temporary.read()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    _write(descriptor, head, 0)
    os.ftruncate(descriptor, end + len(tail))
    _write(descriptor, tail, end)
    return descriptor, offset


def _write(descriptor: int, values: Any, place: int) -> None:
    """Write all bytes of an array at a place of a file."""
    rest = memoryview(values).cast("B")
    while rest:
        count = os.pwrite(descriptor, rest, place)
        rest, place = rest[count:], place + count


def _copy(source: Path, target: Path, rows: np.ndarray) -> None:
    """Copy some rows of a file of features."""
    with h5py.File(source, "r", locking=False) as file:
        stored = file["features"]
        shape, image_id = (len(rows), stored.shape[1]), file["image_id"][rows]
        descriptor, place = _lay_out(target, shape, stored.dtype, image_id, file.attrs["provenance"])
        try:
            for block in _blocks(stored, rows):
                _write(descriptor, block, place)
                place += block.nbytes
        finally:
            os.close(descriptor)


def _fault(record: Mapping[str, Any], skipped: str | Path) -> str | None:
    """Why the rows that a record names are not those in the files; None: they are."""
    rows = np.setdiff1d(np.arange(record["first"], record["done"]), [row for row, *_ in record["left_out"]])
    for name, expected in record["crc32"].items():
        path = _state(Path(skipped), record["key"], f"{name}.h5")
        value = 0
        try:
            if len(rows):
                with h5py.File(path, "r", locking=False) as file:
                    for block in _blocks(file["features"], rows):
                        value = crc32(block.data, value)
        except (OSError, KeyError) as error:
            return f"{path}: {error}"
        if value != expected:
            return f"{path}: rows {record['first']} to {record['done']} are not those that were written"
    return None


def _blocks(stored: h5py.Dataset, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows of a dataset, in increasing order, a block at a time."""
    count = max(1, BLOCK // (stored.shape[1] * stored.dtype.itemsize))
    for start in range(0, len(rows), count):
        wanted = rows[start : start + count]
        yield stored[wanted[0] : wanted[-1] + 1][wanted - wanted[0]]


def _name(design: Design) -> str:
    return "_".join(design)


def _state(skipped: Path, key: str, rest: str) -> Path:
    return skipped.with_name(f".{skipped.stem}.state-{key}-{rest}")


def _states(skipped: Path) -> list[Path]:
    """All state of a split, of any key."""
    return list(skipped.parent.glob(f".{skipped.stem}.state-*"))


def _journal(record: Mapping[str, Any], skipped: Path) -> Path:
    return _state(skipped, record["key"], f"from{record['first']}.json")


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


def _compile(
    base: "keras.Model",
    designs: Sequence[Design],
    statistics: images.ChannelStatistics | None,
    *,
    xla: bool,
    mixed_precision: bool,
) -> Callable[[np.ndarray], dict[str, Any]]:
    """A compiled function: uint8 images B×H×W×3 → the features of each design, by its name."""
    import tensorflow as tf

    network = _in_float16(base) if mixed_precision else base
    pooled = {"77": _flat, "avg": _average, "max": _maximum, "blocks": tf.identity}  # blocks: `backbones.with_blocks`

    @tf.function(jit_compile=xla or None)
    def forward(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {}
        for preprocess in dict.fromkeys(preprocess for preprocess, _ in designs):
            feature_map = network(images.normalise(pixels, preprocess, statistics), training=False)
            for pooling in (pooling for kind, pooling in designs if kind == preprocess):
                found[_name((preprocess, pooling))] = pooled[pooling](tf.cast(feature_map, tf.float32))
        return found

    return lambda pixels: forward(tf.constant(pixels))


def _in_float16(base: "keras.Model") -> "keras.Model":
    """The same network with layers that work in float16 on float32 weights."""
    import keras

    def cloned(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config(layer.get_config() | {"dtype": "mixed_float16"})

    network = keras.models.clone_model(base, clone_function=cloned)
    network.set_weights(base.get_weights())
    return network


def _filled_up(pixels: np.ndarray, count: int) -> np.ndarray:
    """A batch of `count` images, black ones after those that are there."""
    return np.concatenate([pixels, np.zeros((count - len(pixels), *pixels.shape[1:]), np.uint8)])


def _flat(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tf.reshape(feature_map, [tf.shape(feature_map)[0], -1]), tf.float16)


def _average(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(feature_map, axis=[1, 2])


def _maximum(feature_map: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_max(feature_map, axis=[1, 2])
