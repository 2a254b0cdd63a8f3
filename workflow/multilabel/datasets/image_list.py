"""The images that labels name, with their checksums: by this list jobs know that an image was replaced.

A folder's own time says nothing of that, and changes with any file that is put beside the images. The list is made by a
job. Whether the images are still those of the list, Snakemake asks when it plans: the list's memory, a file beside
Snakemake's own records, has each image's size, times and inode, so that only images that changed are read again.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from multilabel.files import complete_or_absent, sha256, stamp

Seen = list
"""An image as it was last seen: size, times of change of content and inode in ns, inode, sha256; [] for a missing one.

A plain list, because there are 118,287 of them in COCO, and they are read and compared with each plan.
"""


class _Memory(NamedTuple):
    """What is known of a list's images.

    `since`: what `changes` said when the list was made. `seen`: its images by name. `replaced`: those that are others
    now, with the sha256 that the list has.
    """

    since: str
    seen: dict[str, Seen]
    replaced: dict[str, str]


def write(
    path: str | Path, folder: str | Path, names: Sequence[str], *, memory: str | Path, since: str, workers: int
) -> None:
    """Write the list of some images of a folder: file_name, bytes, sha256. Missing images have neither of these.

    Args:
        path: a CSV file.
        folder: where the images lie.
        names: their file names.
        memory: the list's memory.
        since: what `changes` said when the job was planned.
        workers: threads.
    """
    known = _load(memory)
    seen = _looked_at(folder, names, known.seen if known else {}, workers)
    with complete_or_absent(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file_name", "bytes", "sha256"])
        rows.writerows([name, image[0] if image else "", _sha256(image)] for name, image in seen.items())
    _save(memory, _Memory(since, seen, {}))


def changes(path: str | Path, folder: str | Path, *, memory: str | Path, workers: int) -> str:
    """A text that is another one than when the list was made if, and only if, images of the list have changed since.

    Nothing is known of images that came with a list from elsewhere but their sizes: where those agree, the images count
    as those of the list. Arguments as of `write`.
    """
    remembered = _load(memory)
    known = remembered or _adopted(path, folder)
    if known is None:
        return ""
    seen = _looked_at(folder, known.seen, known.seen, workers)
    replaced = dict(known.replaced)
    for name in [name for name, image in seen.items() if image != known.seen[name]]:
        listed = known.replaced.get(name, _sha256(known.seen[name]))
        replaced.pop(name, None)
        if _sha256(seen[name]) != listed:
            replaced[name] = listed
    if remembered is None or seen != known.seen:
        _save(memory, _Memory(known.since, seen, replaced))
    changed = sorted([name, _sha256(seen[name])] for name in replaced)
    return hashlib.sha256(json.dumps(changed).encode()).hexdigest()[:16] if changed else known.since


def _adopted(path: str | Path, folder: str | Path) -> _Memory | None:
    """What a list without a memory says of its images; None if there is no list."""
    if not Path(path).exists():
        return None
    with Path(path).open(encoding="utf-8", newline="") as file:
        listed = {row["file_name"]: (row["bytes"], row["sha256"]) for row in csv.DictReader(file)}
    seen, replaced = {}, {}
    for name, (size, digest) in listed.items():
        now = stamp(f"{folder}/{name}")
        same = (str(now[0]) if now else "") == size
        seen[name] = [*now, digest if same else "another size"] if now else []
        if not same:
            replaced[name] = digest
    return _Memory("", seen, replaced)


def _looked_at(folder: str | Path, names: Iterable[str], known: Mapping[str, Seen], workers: int) -> dict[str, Seen]:
    """The images as they are now; those with another stamp than the known one are read."""
    stamps = {name: stamp(f"{folder}/{name}") for name in names}
    changed = [name for name, stamp in stamps.items() if stamp and stamp != known.get(name, [])[:-1]]
    with ThreadPoolExecutor(workers) as pool:
        digests = dict(zip(changed, pool.map(lambda name: sha256(Path(folder, name)), changed), strict=True))
    return {
        name: [*stamp, digests[name]] if name in digests else known[name] if stamp else []
        for name, stamp in stamps.items()
    }


def _sha256(image: Seen) -> str:
    return image[-1] if image else ""


def _load(memory: str | Path) -> _Memory | None:
    """The memory of a list; None if there is none, or none that can be read: then it is made anew."""
    try:
        return _Memory(**json.loads(Path(memory).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _save(memory: str | Path, known: _Memory) -> None:
    with complete_or_absent(memory) as temporary:
        temporary.write_text(json.dumps(known._asdict()), encoding="utf-8")
