"""What is published, read from `published.yaml`: which archives fill which folders, and weights."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml


class RemoteFile(NamedTuple):
    """A published file: its address, its length in bytes where that is known, and a checksum, in hexadecimal.

    That is an `md5`, or a `sha256` or its first digits; with neither, only what the server announces can be checked.
    """

    name: str
    address: str
    size: int | None
    md5: str = ""
    sha256: str = ""


class Unpacking(NamedTuple):
    """Archives that fill a folder of `resources/` together, and which folders and files are wanted of them.

    `outputs` are the folders and files by which to see that they are there, as paths from the working directory.
    """

    name: str
    folder: str
    archives: tuple[str, ...]
    members: tuple[str, ...]
    outputs: tuple[str, ...]


def _remote_file(entry: Mapping[str, Any]) -> RemoteFile:
    rest = {"size": None} | {key: value for key, value in entry.items() if key != "address"}
    return RemoteFile(entry["address"].rpartition("/")[2], entry["address"], **rest)


def _unpackings(dataset: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[Unpacking]:
    folder = f"resources/{dataset}"
    for entry in entries:
        archives = tuple(_remote_file(file).name for file in entry["files"])
        name = dataset if len(entries) == 1 else archives[0].partition(".")[0]
        outputs = tuple(f"{folder}/{path}" for path in entry.get("outputs", entry["members"]))
        yield Unpacking(name, folder, archives, tuple(entry["members"]), outputs)


def weights_of_torchvision(network: str) -> str:
    """The name of the file of weights that PyTorch publishes of a network, such as resnet50.

    Raises:
        ValueError: the table has none.
    """
    found = [name for name in SOURCES if name.startswith(f"{network}-")]
    if not found:
        raise ValueError(f"no published weights of torchvision's {network} are known; name a weights file, or random")
    return found[0]


_TABLE = yaml.safe_load(Path(__file__).with_name("published.yaml").read_text(encoding="utf-8"))
_ARCHIVES = [file for entries in _TABLE["archives"].values() for entry in entries for file in entry["files"]]

DATASETS: tuple[str, ...] = tuple(_TABLE["archives"])
"""Published datasets, by name and subset."""

UNPACKINGS: tuple[Unpacking, ...] = tuple(
    unpacking for dataset, entries in _TABLE["archives"].items() for unpacking in _unpackings(dataset, entries)
)
"""What rules can fetch and unpack."""

SOURCES: Mapping[str, RemoteFile] = MappingProxyType(
    {file.name: file for file in map(_remote_file, [*_ARCHIVES, *_TABLE["weights"]])}
)
"""Every published file by its name."""
