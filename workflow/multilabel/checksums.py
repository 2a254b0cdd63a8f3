"""Checksums of files, remembered: a file that was not written since is not read again, however large.

The environment names the memory (`MULTILABEL_CHECKSUMS`); without, every file is read. The workflow keeps it beside
Snakemake's own records.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from multilabel.files import complete_or_absent, sha256, stamp

VARIABLE = "MULTILABEL_CHECKSUMS"


def memory() -> Path | None:
    """The file in which checksums are remembered, if they are."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def of(paths: Iterable[str | Path]) -> dict[str, str]:
    """The sha256 of each file, by path.

    Raises:
        ValueError: a file has other content than remembered, and yet its old size and time of change: what compares
            times, as Snakemake does, does not see that. The message names it.
    """
    known, found, changed = _load(), {}, {}
    for path in map(str, paths):
        now, (*before, digest) = stamp(path), known.get(path, [None])
        if not now or now != before:
            digest = sha256(path)
            if before and now[:2] == before[:2] and digest != known[path][-1]:
                raise ValueError(
                    f"{path}: its content was changed since it was last used, but not its time, so that nothing made "
                    f"from it was made again: expected sha256 {known[path][-1]}, found {digest}. Remove it to make it "
                    "again"
                )
            changed[path] = [*now, digest]
        found[path] = digest
    if changed:
        _save(_load() | changed)
    return found


def differing(recorded: Mapping[str, str]) -> list[str]:
    """Those of the files that are there with another sha256 than the recorded one; for `of` of files by path."""
    there = [path for path in recorded if Path(path).exists()]
    found: dict[str, str] = {}
    for path in there:
        try:
            found |= of([path])
        except ValueError:  # it says how it came to be another file; that it is one is enough here
            found[path] = sha256(path)
    return [path for path in there if found[path] != recorded[path]]


def _load() -> dict[str, list]:
    """The memory: path, as it was given, → stamp and sha256. So it goes with a project that is moved."""
    path = memory()
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _save(known: Mapping[str, list]) -> None:
    if path := memory():
        with complete_or_absent(path) as temporary:
            temporary.write_text(json.dumps(known), encoding="utf-8")
