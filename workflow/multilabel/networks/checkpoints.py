"""Files of PyTorch (`.pth`, `.pkl`) without PyTorch: tensors as NumPy arrays, read when asked for; nothing is run.

Both formats: the zip archive, and the stream of pickles that PyTorch wrote before 1.6. Allowed are tensors, their
storages, OrderedDict, and the one NumPy scalar that training scripts save (`best_mAP`); anything else is refused by
name.
"""

import math
import reprlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np

from multilabel.networks import pickles

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
"""What a file from before PyTorch 1.6 begins with."""

MOST = 2**40
"""Numbers in a tensor."""

_STORAGES = {
    "torch.DoubleStorage": "f8",
    "torch.FloatStorage": "f4",
    "torch.HalfStorage": "f2",
    "torch.BFloat16Storage": "u2",  # the upper half of a float32
    "torch.LongStorage": "i8",
    "torch.IntStorage": "i4",
    "torch.ShortStorage": "i2",
    "torch.CharStorage": "i1",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "?",
}
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Of a member of a zip archive: signature, and the lengths of its name and of its extra field."""


@dataclass
class Storage:
    """Numbers in a row within the file, from byte `start`; `checksum` is CRC-32, where the file has one."""

    kind: str
    count: int
    start: int = -1
    checksum: int | None = None
    order: Literal["<", ">"] = "<"

    @property
    def dtype(self) -> np.dtype:
        """As the numbers lie in the file."""
        return np.dtype(_STORAGES[self.kind]).newbyteorder(self.order)

    @property
    def size(self) -> int:
        """In bytes."""
        return self.count * self.dtype.itemsize


@dataclass
class _File:
    """A checkpoint, of which one storage at a time is kept: neighbours often share one."""

    path: Path
    last: tuple[Storage, np.ndarray] | None = field(default=None, repr=False)

    def read(self, storage: Storage) -> np.ndarray:
        """All numbers of a storage.

        Raises:
            ValueError: the file is cut short or damaged.
        """
        if self.last is None or self.last[0] is not storage:
            self.last = None  # not two at once
            numbers = np.fromfile(self.path, storage.dtype, storage.count, offset=storage.start)
            if len(numbers) != storage.count:
                raise ValueError(f"{self.path}: cut short within its tensors")
            if storage.checksum is not None and zlib.crc32(numbers.data) != storage.checksum:
                raise ValueError(f"{self.path}: damaged: the checksum of a tensor is wrong")
            self.last = storage, numbers
        return self.last[1]


@dataclass(frozen=True)
class Tensor:
    """A tensor that stays in its file until `numpy` (or `np.asarray`) reads it."""

    file: _File = field(repr=False)
    storage: Storage = field(repr=False)
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype:
        """Of the array; bfloat16, which NumPy does not have, becomes float32."""
        bfloat16 = self.storage.kind == "torch.BFloat16Storage"
        return np.dtype(np.float32) if bfloat16 else self.storage.dtype.newbyteorder("=")

    def numpy(self) -> np.ndarray:
        """The array, read-only.

        Raises:
            ValueError: the file is cut short or damaged.
        """
        numbers = self.file.read(self.storage)[self.offset :]
        steps = [stride * numbers.itemsize for stride in self.strides]
        array = np.lib.stride_tricks.as_strided(numbers, self.shape, steps, writeable=False)
        if self.storage.kind == "torch.BFloat16Storage":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)


class State(NamedTuple):
    """The tensors of a network: key → tensor, `module.` taken off; `place` says where in the file they were found."""

    path: Path
    place: str
    tensors: dict[str, Tensor]


def read(path: str | Path) -> Any:
    """What `torch.save` wrote: dictionaries, lists and numbers as they were; tensors as `Tensor`s, still in the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no file of PyTorch, cut short, damaged, or holds what is not allowed; the message names the
            file and what was found. Nothing was run.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    try:
        with path.open("rb") as file:
            start = file.read(16)
            file.seek(0)
            if start.startswith(b"PK\3\4"):
                return _read_zip(file, _File(path))
            if start.startswith((b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little"))[: len(start) or 1]):
                return _read_stream(file, _File(path))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OverflowError) as error:
        raise ValueError(f"{path}: cut short or damaged: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    raise ValueError(f"{path}: expected a file written by torch.save; it begins with {start!r}")


def state_dict(path: str | Path) -> State:
    """The tensors of a network in a checkpoint: its entry `state_dict`, or else the object itself.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: as `read`, or it does not hold a state: not a dictionary from text to tensors.
    """
    path, content = Path(path), read(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dictionary of tensors, found {_kind(content)}")
    place = "state_dict" if "state_dict" in content else "the object itself"
    found = content.get("state_dict", content)
    if not isinstance(found, dict) or not found:
        raise ValueError(f"{path}: expected tensors in {place}, found {_kind(found)}")
    tensors: dict[str, Tensor] = {}
    for key, value in found.items():
        if not (isinstance(key, str) and isinstance(value, Tensor)):
            raise ValueError(f"{path}: expected tensors by name in {place}, found {_kind(value)} under {key!r}")
        short = key.removeprefix("module.")
        if short in tensors:
            raise ValueError(f"{path}: holds {short} twice, with and without the prefix `module.`")
        tensors[short] = value
    return State(path, place, tensors)


def _read_zip(file: IO[bytes], source: _File) -> Any:
    """A zip archive: `NAME/data.pkl`, and a member `NAME/data/KEY` for each storage, not compressed."""
    with zipfile.ZipFile(file) as archive:
        root, members = _members(archive)
        byteorder = archive.read(members[f"{root}byteorder"]) if f"{root}byteorder" in members else b"little"
        if byteorder not in (b"little", b"big"):
            raise ValueError(f"expected the byte order little or big, found {byteorder[:20]!r}")
        storages: dict[str, Storage] = {}
        pickled = BytesIO(archive.read(members[f"{root}data.pkl"]))
    value = pickles.read(pickled, _allowed(source), _storages(storages, 5))
    for key, storage in storages.items():
        name = f"{root}data/{key}"
        if name not in members:
            raise ValueError(f"cut short or damaged: it has no member {name}")
        member = members[name]
        file.seek(member.header_offset)
        signature, *lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size).ljust(_LOCAL_HEADER.size))
        storage.start = member.header_offset + _LOCAL_HEADER.size + sum(lengths)
        storage.order, storage.checksum = "<" if byteorder == b"little" else ">", member.CRC
        if signature != b"PK\3\4" or member.file_size != storage.size:
            raise ValueError(f"damaged: expected {storage.size} bytes in {name}, found {member.file_size}")
    return value


def _members(archive: zipfile.ZipFile) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The folder in the archive, `NAME/`, and its members by name."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ValueError(f"holds a member {name!r}, whose name leads elsewhere; refused")
        if name in members:
            raise ValueError(f"holds the member {name!r} twice; refused")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"the member {name!r} is compressed or encrypted, as torch.save never does; refused")
        members[name] = member
    roots = [name.removesuffix("data.pkl") for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise ValueError(f"expected one member NAME/data.pkl, found {len(roots)}; is it a file of torch.save?")
    return roots[0], members


def _read_stream(file: IO[bytes], source: _File) -> Any:
    """The format before PyTorch 1.6: five pickles, then the storages one after the other."""

    def plain() -> Any:
        return pickles.read(file, {}, _no_persistent_id)

    if plain() != MAGIC or plain() != PROTOCOL:
        raise ValueError(f"expected PyTorch's protocol {PROTOCOL}")
    system = plain()
    if not (isinstance(system, dict) and system.get("little_endian") is True):
        raise ValueError("expected numbers in little-endian order")
    storages: dict[str, Storage] = {}
    value = pickles.read(file, _allowed(source), _storages(storages, 6))
    keys = plain()
    if not isinstance(keys, list) or set(keys) != set(storages) or len(keys) != len(storages):
        raise ValueError("damaged: the storages that it lists are not those that it uses")
    end = source.path.stat().st_size
    position = file.tell()
    for key in keys:
        storage, storages[key].start = storages[key], position + 8
        file.seek(position)
        count = int.from_bytes(file.read(8), "little")
        position += 8 + storage.size
        if position > end:
            raise ValueError(f"cut short within its tensors: expected at least {position} bytes, found {end}")
        if count != storage.count:
            raise ValueError(f"damaged: expected {storage.count} numbers in the storage {key}, found {count}")
    return value


def _storages(found: dict[str, Storage], length: int) -> Callable[[Any], Storage]:
    """What persistent ids stand for: (`storage`, type, key, device, count), and in the older format a view of None."""

    def storage(identity: Any) -> Storage:
        if not (
            isinstance(identity, tuple)
            and len(identity) == length
            and identity[0] == "storage"
            and isinstance(identity[1], pickles.Name)
            and identity[1].name in _STORAGES
            and isinstance(identity[2], str)
            and identity[2].isascii()
            and identity[2].isdigit()
            and _are_counts(identity[4:5])
            and all(view is None for view in identity[5:])
        ):
            raise ValueError(f"expected a persistent id of a storage, found {reprlib.repr(identity)}; refused")
        _, (kind,), key, _, count = identity[:5]
        known = found.setdefault(key, Storage(kind, count))
        if (known.kind, known.count) != (kind, count):
            raise ValueError(f"damaged: the storage {key} is used as two different ones")
        return known

    return storage


def _no_persistent_id(identity: Any) -> Any:
    raise ValueError(f"a persistent id where none belongs: {reprlib.repr(identity)}; refused")


def _allowed(file: _File) -> pickles.Constructors:
    """All that a checkpoint may name."""

    def tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
        if not (isinstance(storage, Storage) and isinstance(shape, tuple) and isinstance(strides, tuple)):
            raise ValueError("damaged: a tensor without a storage, shape or strides")
        counts = (offset, *shape, *strides)
        if not _are_counts(counts) or len(shape) != len(strides) or len(shape) > 32 or math.prod(shape) > MOST:
            raise ValueError(f"damaged: a tensor of offset, shape and strides {reprlib.repr(counts)}")
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if 0 not in shape and last >= storage.count:
            raise ValueError(f"damaged: a tensor of shape {shape} leaves its storage of {storage.count} numbers")
        return Tensor(file, storage, offset, shape, strides)

    return {
        "torch._utils._rebuild_tensor": tensor,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "collections.OrderedDict": _ordered,
        "numpy.dtype": _Dtype,
        "numpy.core.multiarray.scalar": _scalar,
        "numpy._core.multiarray.scalar": _scalar,
        "_codecs.encode": _encode,
        **dict.fromkeys(_STORAGES),
    }


def _parameter(tensor: Any, *_: Any) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise ValueError(f"expected a parameter of a tensor, found {_kind(tensor)}")
    return tensor


def _ordered(*items: Any) -> pickles.Ordered:
    return pickles.Ordered(*items)


class _Dtype(pickles.Buildable):
    """`numpy.dtype` of a plain number."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not (isinstance(code, str) and code in {"f2", "f4", "f8", "b1", *(f"{k}{n}" for k in "iu" for n in "1248")}):
            raise ValueError(f"expected the dtype of a number, found {reprlib.repr(code)}; refused")
        self.value = np.dtype(code)

    def set_state(self, state: Any) -> None:
        """The byte order."""
        if not (isinstance(state, tuple) and len(state) >= 2 and state[1] in ("<", ">", "|", "=")):
            raise ValueError(f"expected the byte order of a number, found {reprlib.repr(state)}; refused")
        self.value = self.value.newbyteorder(state[1])


def _scalar(dtype: Any, content: Any) -> Any:
    if not (isinstance(dtype, _Dtype) and isinstance(content, bytes) and len(content) == dtype.value.itemsize):
        raise ValueError("damaged: a NumPy scalar without its type or bytes")
    return np.frombuffer(content, dtype.value)[0]


def _encode(text: Any, encoding: Any) -> bytes:
    """How Python writes bytes into pickles of protocol 2."""
    if not (isinstance(text, str) and encoding in ("latin1", "latin-1")):
        raise ValueError(f"expected bytes as latin1, found the encoding {reprlib.repr(encoding)}; refused")
    return text.encode("latin1")


def _are_counts(values: Sequence[Any]) -> bool:
    return all(type(value) is int and 0 <= value <= MOST for value in values)


def _kind(value: Any) -> str:
    """What a value is, for messages."""
    if isinstance(value, Mapping):
        return f"a dictionary with {', '.join(map(str, list(value)[:5])) or 'nothing'}"
    return "a single tensor" if isinstance(value, Tensor) else f"a value of type {type(value).__name__}"
