"""Writes files as `torch.save` does, without PyTorch, for tests: from arrays, and from any pickle."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {
    **{"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage", "i4": "IntStorage"},
    **{"i2": "ShortStorage", "i1": "CharStorage", "u1": "ByteStorage", "b1": "BoolStorage", "u2": "BFloat16Storage"},
}


class Tensor:
    """A tensor to write: a view of the numbers of a storage; by default of all of an array."""

    def __init__(self, array, storage=None, offset=0, kind=None):
        if storage is None:
            array = array.copy(order="C")
        self.storage = array.reshape(-1) if storage is None else storage
        self.shape, self.offset = array.shape, offset
        self.strides = tuple(step // array.itemsize for step in array.strides)
        self.kind = kind or STORAGES[array.dtype.str[1:]]


class Parameter:
    """A parameter to write."""

    def __init__(self, array):
        self.tensor = Tensor(array)


class _Storage:
    def __init__(self, tensor):
        self.numbers, self.kind = tensor.storage, tensor.kind


class _Pickler(pickle._Pickler):
    """Python's own, so that names need not exist: GLOBAL instructions are written as text."""

    def __init__(self, file, storages, older):
        super().__init__(file, 2)
        self.storages, self.older = storages, older

    def name(self, name):
        self.write(pickle.GLOBAL + name.rpartition(".")[0].encode() + b"\n" + name.rpartition(".")[2].encode() + b"\n")

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Parameter):
            self.name("torch._utils._rebuild_parameter")
            self.save((obj.tensor, True, OrderedDict()))
            self.write(pickle.REDUCE)
        elif isinstance(obj, Tensor):
            self.name("torch._utils._rebuild_tensor_v2")
            self.save((_Storage(obj), obj.offset, obj.shape, obj.strides, False, OrderedDict()))
            self.write(pickle.REDUCE)
        elif isinstance(obj, _Storage):
            key = self.storages.setdefault(id(obj.numbers), (str(len(self.storages)), obj.numbers))[0]
            self.write(pickle.MARK)
            self.save("storage")
            self.name(f"torch.{obj.kind}")
            for each in (key, "cpu", len(obj.numbers), *([None] if self.older else [])):
                self.save(each)
            self.write(pickle.TUPLE + pickle.BINPERSID)
        else:
            super().save(obj, save_persistent_id)


def pickled(value, older=False):
    """The pickle of a value that may hold `Tensor`s, and its storages: key → numbers."""
    file, storages = io.BytesIO(), {}
    _Pickler(file, storages, older).dump(value)
    return file.getvalue(), dict(storages.values())


def save(path, value):
    """As `torch.save` does."""
    save_pickle(path, *pickled(value))


def save_pickle(path, content, storages=None, root="archive", extra=None, compression=zipfile.ZIP_STORED):
    """A zip archive with this pickle, whatever it says."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{root}/data.pkl", content)
        for key, numbers in (storages or {}).items():
            archive.writestr(f"{root}/data/{key}", numbers.tobytes())
        archive.writestr(f"{root}/version", "3\n")
        for name, text in (extra or {}).items():
            archive.writestr(name, text)


def save_older(path, value):
    """As PyTorch did before 1.6."""
    save_older_pickle(path, *pickled(value, older=True))


def save_older_pickle(path, content, storages=None):
    """The older stream with this pickle, whatever it says."""
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as file:
        for head in (MAGIC, PROTOCOL, system):
            pickle.dump(head, file, 2)
        file.write(content)
        pickle.dump(list(storages or {}), file, 2)
        for numbers in (storages or {}).values():
            file.write(struct.pack("<q", len(numbers)) + numbers.tobytes())
