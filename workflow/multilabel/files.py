"""Files that are complete or absent: written beside their place and renamed when done."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REMEDY = "Remove it to make it again, or bring a whole copy"
"""What helps where a file is damaged."""
DAMAGE = (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError)
"""What HDF5 raises on files that are damaged or hold something else, depending on which byte is wrong."""


@contextmanager
def complete_or_absent(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The folder is created. The temporary name keeps the suffix, because savers choose the format by it.

    >>> with complete_or_absent("/tmp/example.txt") as temporary:
    ...     _ = temporary.write_text("done")
    >>> Path("/tmp/example.txt").read_text()
    'done'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    stem, dot, suffixes = path.name.partition(".")
    temporary = path.with_name(f".{stem}.{os.getpid()}.partial{dot}{suffixes}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, content: Any, *, indent: int | None = 2) -> None:
    """Write `content` as JSON with sorted keys: the same content gives the same bytes.

    Args:
        path: the file.
        content: what `json` writes.
        indent: None puts all on one line, which takes a tenth of the time.
    """
    with complete_or_absent(path) as temporary:
        text = json.dumps(content, indent=indent, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: the file is not JSON; the message names the file and the place.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, found a syntax error: {error}. {REMEDY}") from error


def stamp(path: str | Path) -> list[int]:
    """What changes with any writing to a file: size, time of change in ns, that of the inode, inode; [] without one."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path takes three times as long
    except FileNotFoundError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def sha256(path: str | Path) -> str:
    """The sha256 of a file's bytes, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
