"""Files of features while they grow, and what happens to them when they are complete.

They grow beside their places, under names that hold a key of all that they depend on. Each has its final size from the
start, so that every image's row has its place in it: who is killed goes on after the rows that a journal names, several
jobs fill one file, and what is complete only needs its name.

So rows are written by their place in the file. h5py's own writes take as long (0.94 of the time where the data are
contiguous, 1.13 where they are chunked: 3,008 rows of three designs), but HDF5 lets one process write a file at a time.
"""

import csv
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import h5py
import numpy as np

from multilabel.datasets.labels import LabelMatrix
from multilabel.features.files import BLOCK, Design, design_name
from multilabel.files import complete_or_absent, read_json, write_json

SAVE_SECONDS = 5.0
"""How often the journal is written: what a killed job loses at most, but for the batch it was at."""


def gather(outputs: Mapping[Design, str | Path], records: Sequence[str | Path], *, skipped: str | Path) -> None:
    """Check the rows of all parts of a split and give the files that they filled their names; nothing is copied.

    Only where images were left out, the rows of the others are.

    Args:
        outputs: see `extraction.extract`.
        records: JSON files of what `extraction.extract_part` gave for each part.
        skipped: see `extraction.extract`.

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
    finish(outputs, parts, Path(skipped))


class Part:
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
            if reason := _fault(found, self.skipped):
                raise ValueError(reason)
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

    def __enter__(self) -> "Part":
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


def finish(outputs: Mapping[Design, str | Path], parts: Sequence[Mapping[str, Any]], skipped: Path) -> None:
    """Name the complete files, write the list of left out images, and remove the state."""
    left_out = [entry for part in parts for entry in part["left_out"]]
    total = sum(part["last"] - part["first"] for part in parts)
    if len(left_out) == total:
        raise ValueError(f"{parts[0]['folder']}: expected at least one readable image of {total}, found none")
    with complete_or_absent(skipped) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("path", "reason"), *(entry[1:] for entry in left_out)])
    for design, path in outputs.items():
        state = _state(skipped, parts[0]["key"], f"{design_name(design)}.h5")
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


def _state(skipped: Path, key: str, rest: str) -> Path:
    return skipped.with_name(f".{skipped.stem}.state-{key}-{rest}")


def _states(skipped: Path) -> list[Path]:
    """All state of a split, of any key."""
    return list(skipped.parent.glob(f".{skipped.stem}.state-*"))


def _journal(record: Mapping[str, Any], skipped: Path) -> Path:
    return _state(skipped, record["key"], f"from{record['first']}.json")
