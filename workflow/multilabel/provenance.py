"""Where a result comes from: code, inputs, versions; and the key by which two results have the same origin or not."""

import ast
import hashlib
import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from multilabel import checksums
from multilabel.files import read_json, sha256, write_json

PACKAGES = ("tensorflow", "keras", "numpy", "h5py")
DATA_FILE = r"[\w.]+\.(csv|html|yaml)"
ONLY_TELLS = ("logs.py",)
"""Modules that every job has and on which no result depends."""
_LIBRARY = Path(__file__).parent


def key(content: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that stand for `content` (anything that JSON can hold)."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """The versions on which numbers may depend."""
    return {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def digests(paths: Iterable[str | Path]) -> dict[str, str]:
    """The sha256 of each file, by path; see `checksums.of`."""
    return checksums.of(paths)


def require(records: Iterable[str | Path], configuration: Mapping[str, Any]) -> None:
    """Check that every run comes from `configuration`, the current one.

    Args:
        records: the `run.json` of each run.
        configuration: what each must hold under `configuration`.

    Raises:
        ValueError: names each run that does not, and the first key that differs.
    """
    wanted = json.loads(json.dumps(configuration))
    stale = {}
    for path in records:
        differing = list(_differences(read_json(path)["configuration"], wanted))
        if differing:
            stale[path] = differing[0]
    if stale:
        lines = [f"  {path}: {difference}" for path, difference in stale.items()]
        raise ValueError(
            "\n".join(
                [f"{len(stale)} run(s) come from another configuration than the current one; remove them:", *lines]
            )
        )


def require_inputs(records: Iterable[str | Path]) -> int:
    """Check that what runs were made from is still what it was, as far as it is there; give the number of such files.

    Args:
        records: the `run.json` of each run.

    Raises:
        ValueError: names each file that is another one now, and the runs that were made from it.
    """
    runs = {str(path): read_json(path)["inputs"] for path in records}
    differing = {path: checksums.differing(inputs) for path, inputs in runs.items()}
    changed = {name: [run for run, names in differing.items() if name in names] for name in chain(*differing.values())}
    if changed:
        lines = [f"  {name}: {len(made)} run(s), such as {made[0]}" for name, made in changed.items()]
        raise ValueError(
            "\n".join(
                [
                    f"{len(changed)} file(s) are no longer those that runs were made from; remove them to make them "
                    "and the runs again:",
                    *lines,
                ]
            )
        )
    return len({name for inputs in runs.values() for name in inputs if Path(name).exists()})


def _differences(found: Any, wanted: Any, key: str = "") -> Iterator[str]:
    """Where two configurations differ, in words."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in sorted({*found, *wanted}):
            yield from _differences(found.get(name), wanted.get(name), f"{key}.{name}".strip("."))
    elif found != wanted:
        yield f"{key}: expected {wanted!r}, found {found!r}"


def code_version(script: str | Path) -> str:
    """A hash of a script's own code and of all library modules that it imports, directly or not.

    Comments, docstrings and layout do not count: editing them gives the same hash. Data files that lie beside a module
    and that it names do count.
    """
    modules = sorted({Path(script), *library_of(script)})
    return hashlib.sha256("\n".join(_code(path).text for path in modules).encode()).hexdigest()[:16]


def library_of(script: str | Path) -> set[Path]:
    """The library modules that a script needs and on which its results depend."""
    found: set[Path] = set()
    waiting = [Path(script)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_code(path).imports)
    return found - {Path(script), *map(_LIBRARY.joinpath, ONLY_TELLS)}


def _files(names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        package, *parts = name.split(".")
        place = _LIBRARY.joinpath(*parts)
        if package == _LIBRARY.name:
            yield from (path for path in (place.with_suffix(".py"), place / "__init__.py") if parts and path.exists())


class _Code(NamedTuple):
    """Files of the library's modules that a file imports, at its top or inside functions; and what it says."""

    imports: frozenset[Path]
    text: str


class _Source(NamedTuple):
    """What a source says: the names that it imports, those of data files, and its code, as a digest."""

    imports: Sequence[str]
    data: Sequence[str]
    digest: str


@cache
def _code(path: Path) -> _Code:
    """What a file imports, and its code with the digests of the data files that it names and that lie beside it."""
    source = _remembered(path.read_bytes())
    data = [path.with_name(name) for name in source.data]
    text = "\n".join([source.digest, *(sha256(file) for file in data if file.exists())])
    return _Code(frozenset(_files(source.imports)), text)


def _remembered(content: bytes) -> _Source:
    """What a source says, from the memory beside that of checksums where it is known: parsing all takes a second."""
    memory = checksums.memory()
    if not memory:
        return _parsed(content)
    # Another Python has other syntax trees.
    name = hashlib.sha256(platform.python_version().encode() + content).hexdigest()
    path = memory.with_name("code") / f"{name}.json"
    try:
        return _Source(**read_json(path))
    except (OSError, TypeError, ValueError):
        found = _parsed(content)
        write_json(path, found._asdict())
        return found


def _parsed(content: bytes) -> _Source:
    """What a source says, by its syntax tree without docstrings."""
    tree = ast.parse(content)
    imported: set[str] = set()
    texts: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                texts.add(node.value)
        elif isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                imported.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    data = [name for name in sorted(texts) if re.fullmatch(DATA_FILE, name)]
    return _Source(sorted(imported), data, hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a bare string: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
