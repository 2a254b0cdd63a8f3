"""The published archives and weights: fetched with resume and verification, unpacked completely or not at all."""

import errno
import functools
import hashlib
import http.client
import lzma
import shutil
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from types import MappingProxyType
from typing import IO, NamedTuple, cast

TIMEOUT = 60.0  # seconds without a byte, after which a connection counts as lost
REPORT_EVERY = 10.0  # seconds between two lines of progress
BLOCK = 1 << 20  # bytes


class RemoteFile(NamedTuple):
    """A published file: its address, its length in bytes where that is known, its md5 in hexadecimal."""

    name: str
    address: str
    size: int | None
    md5: str


class DownloadError(OSError):
    """No address gave the file; the message lists each with its reason."""


_COCO = "http://images.cocodataset.org"  # not https: the certificate there is another host's
_VOC = "http://host.robots.ox.ac.uk/pascal/VOC/voc2007"
_VGG16 = "https://storage.googleapis.com/tensorflow/keras-applications/vgg16"

SOURCES: Mapping[str, RemoteFile] = MappingProxyType(
    {
        name: RemoteFile(name, f"{folder}/{name}", size, md5)
        for folder, name, size, md5 in [
            (f"{_COCO}/zips", "train2017.zip", 19_336_861_798, "cced6f7f71b7629ddf16f17bbcfab6b2"),
            (f"{_COCO}/zips", "val2017.zip", 815_585_330, "442b8da7639aecaf257c1dceb8ba8c80"),
            (
                f"{_COCO}/annotations",
                "annotations_trainval2017.zip",
                252_907_541,
                "f4bbac642086de4f52a3fdda2de5fa2c",
            ),
            (f"{_COCO}/zips", "train2014.zip", None, "0da8c0bd3d6becc4dcb32757491aca88"),
            (f"{_COCO}/zips", "val2014.zip", None, "a3d79f5ed8d289b7a7554ce06a5782b3"),
            (f"{_COCO}/annotations", "annotations_trainval2014.zip", None, "0a379cfc70b0e71301e0f377548639bd"),
            (_VOC, "VOCtrainval_06-Nov-2007.tar", None, "c52e279531787c972589f7e41ab4ae64"),
            (_VOC, "VOCtest_06-Nov-2007.tar", None, "b6e924de25625d8de591ea690078ad9f"),
            (
                _VGG16,
                "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
                58_889_256,
                "6d6bbae143d832006294945121d1f1fc",
            ),
            (_VGG16, "vgg16_weights_tf_dim_ordering_tf_kernels.h5", None, "64373286793e3c8b2b4e3219cbf3544b"),
        ]
    }
)


def fetch(
    file: RemoteFile,
    path: str | Path,
    *,
    mirrors: Sequence[str] = (),
    attempts: int = 5,
    pause: float = 1.0,
    report: Callable[[str], object] = print,
) -> None:
    """Leave the verified `file` at `path`, or raise.

    A file that is already there is verified, never replaced. Otherwise the bytes gather in `.{name}.partial` beside
    `path`, and a later call goes on where an earlier one stopped.

    Args:
        file: what to fetch, such as `SOURCES["val2017.zip"]`.
        path: where it shall lie.
        mirrors: base addresses to try before the official one, as `{mirror}/{file.name}`.
        attempts: failures in a row without a new byte, after which an address is given up.
        pause: seconds before the second attempt; doubled with each further one.
        report: receives lines of progress.

    Raises:
        ValueError: the file at `path` is another one, or a mirror is not a web address.
        DownloadError: no address gave the file.
        OSError: the disk is full (`errno.ENOSPC`) or cannot be written.
    """
    path = Path(path)
    for mirror in mirrors:
        if not mirror.startswith(("http://", "https://")):
            raise ValueError(f"mirror {mirror!r}: expected an address that starts with http:// or https://")
    if path.is_symlink() or path.exists():
        verify(file, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    if file.size is not None:
        _require_space(path, file.size - _length(partial))

    addresses = deque([*(f"{mirror.rstrip('/')}/{file.name}" for mirror in mirrors), file.address])
    reasons: list[str] = []
    once_wrong: set[str] = set()
    while addresses:
        address = addresses.popleft()
        try:
            _download(file, address, partial, attempts, pause, report)
        except _RefusedError as error:
            reasons.append(f"{address}: {error}")
            continue
        difference = _difference(file, partial)
        if difference is None:
            partial.replace(path)
            return
        partial.unlink()
        report(f"{file.name}: {address}: {difference}; starting anew")
        reasons.append(f"{address}: {difference}")
        if address not in once_wrong:  # damage on the way, or in what was resumed, may not happen twice
            once_wrong.add(address)
            addresses.append(address)
    kept = _length(partial)
    raise DownloadError(
        f"{file.name} could not be downloaded:\n"
        + "".join(f"  {reason}\n" for reason in reasons)
        + (f"{_megabytes(kept)} MB are kept in {partial}: running again goes on from there.\n" if kept else "")
        + f"Without a connection: put the file at {path}, or name your copy in the configuration."
    )


def verify(file: RemoteFile, path: str | Path) -> None:
    """Check that `path` holds `file`, by size and md5.

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: it is not the published one; the message says what was expected and found.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "nothing"
        raise FileNotFoundError(f"{path}: expected the file {file.name}, found {found}")
    difference = _difference(file, path)
    if difference is not None:
        raise ValueError(
            f"{path} is not the published {file.name}: {difference}. Remove it to download it from {file.address}, "
            "or put a complete copy there."
        )


def extract(
    archive: str | Path,
    target: str | Path,
    *,
    members: Callable[[str], bool] | None = None,
    report: Callable[[str], object] = print,
) -> None:
    """Unpack a zip or tar archive into the folder `target`: each file of it is there completely, or none.

    Everything is unpacked into a hidden folder first and renamed into place at the end. A folder that exists already
    is merged with the archive's (the two VOC archives share one); files of the same name are replaced.

    Args:
        archive: zip, or tar with any compression that `tarfile` reads.
        target: created if it is missing.
        members: chooses by the name in the archive; all by default.
        report: receives lines of progress.

    Raises:
        ValueError: the archive is damaged or incomplete, or a member is a link or device or would lie outside
            `target`; nothing is written then.
        OSError: the disk is full (`errno.ENOSPC`) or cannot be written; nothing stays of what was unpacked.
    """
    archive, target = Path(archive), Path(target)
    with _open_archive(archive) as opened:
        chosen = [member for member in _members(opened, archive) if members is None or members(member.name)]
        _require_safe(chosen, archive, target)
        was_there = target.exists()
        target.mkdir(parents=True, exist_ok=True)
        temporary = target / f".{archive.name}.partial"  # not outside: target may be a file system of its own
        try:
            _require_space(target, sum(member.size for member in chosen))
            if temporary.exists():  # of a run that was killed
                shutil.rmtree(temporary)
            temporary.mkdir()
            _unpack(archive, chosen, temporary, report)
            _merge(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            if not was_there:
                with suppress(OSError):  # another process writes there
                    target.rmdir()
            raise
        shutil.rmtree(temporary)


class _PassingError(Exception):
    """Trying the same address again may help."""


class _RefusedError(Exception):
    """Only another address may help."""


class _RangeError(Exception):
    """The server has nothing from the byte on that was asked for (416)."""


def _download(
    file: RemoteFile,
    address: str,
    partial: Path,
    attempts: int,
    pause: float,
    report: Callable[[str], object],
) -> None:
    """Bring `partial` to its full length from one address, with as many connections as that takes."""
    failures, furthest = 0, _length(partial)
    while True:
        have = _length(partial)
        if file.size is not None and have >= file.size:
            if _difference(file, partial) is None:
                return
            partial.unlink()
        try:
            return _receive(file, address, partial, report)
        except _RangeError:  # complete already, if its length was not known before
            if _difference(file, partial) is None:
                return
            partial.unlink()
        except _PassingError as error:
            have = _length(partial)
            failures = 0 if have > furthest else failures + 1
            furthest = max(have, furthest)
            if failures >= attempts:
                raise _RefusedError(f"{error} ({failures} attempts)") from error
            wait = pause * 2 ** max(failures - 1, 0)
            report(f"{file.name}: {address}: {error}; trying again in {wait:g} s from {_megabytes(have)} MB on")
            time.sleep(wait)


def _receive(file: RemoteFile, address: str, partial: Path, report: Callable[[str], object]) -> None:
    """Append to `partial` what one connection gives.

    No `If-Range`: the table's md5 says which bytes are wanted, so a file that changed on the server is useless anyhow.
    """
    have = _length(partial)
    headers = {"User-Agent": "multilabel", **({"Range": f"bytes={have}-"} if have else {})}
    with _network_errors(resumes=have > 0):
        response = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=TIMEOUT)
    with response:
        if response.status != 206:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _RefusedError(
                f"asked for bytes {have}-, the server sent {response.headers.get('Content-Range', 'others')!r}"
            )
        total = file.size
        if response.length is not None:
            total = have + response.length
            if file.size not in (None, total):
                raise _RefusedError(f"expected a file of {file.size:,} bytes, the server has one of {total:,}")
            _require_space(partial, total - _length(partial))

        advance = _progress(file.name, have, total, report)
        try:
            with partial.open("ab" if have else "wb") as out:
                while total is None or have < total:
                    with _network_errors():
                        block = response.read1(BLOCK if total is None else min(BLOCK, total - have))
                    if not block:
                        break
                    out.write(block)
                    have += len(block)
                    advance(have)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):  # disk, quota, ulimit
                done = f"{_megabytes(_length(partial))} MB of {file.name}"
                text = f"{error.strerror} after {done}; make room and run again: it goes on from there"
                raise OSError(error.errno, text, str(partial)) from error
            raise
    if total is not None and have < total:
        raise _PassingError(f"the server stopped after {have:,} of {total:,} bytes")
    advance(have, finished=True)


@contextmanager
def _network_errors(resumes: bool = False) -> Iterator[None]:
    """Sort the errors of a connection by what helps. None of the results is an OSError: those are of the disk."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and resumes:
            raise _RangeError from error
        passing = error.code >= 500 or error.code in (408, 429)
        raise (_PassingError if passing else _RefusedError)(f"HTTP {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        raise _PassingError(text or type(reason).__name__) from error


def _difference(file: RemoteFile, path: Path) -> str | None:
    """What distinguishes `path` from `file`; None if nothing does."""
    size = path.stat().st_size
    if file.size not in (None, size):
        return f"expected {file.size:,} bytes, found {size:,}"
    with path.open("rb") as content:
        md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return None if md5 == file.md5 else f"expected md5 {file.md5}, found {md5}"


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _require_space(path: Path, needed: int) -> None:
    """Raise OSError unless the file system of `path` (a folder, or a file to be in an existing one) has the bytes."""
    free = shutil.disk_usage(path if path.is_dir() else path.parent).free
    if needed > free:
        text = f"needs {needed:,} bytes, {free:,} are free on this disk; make room, or choose a place on another"
        raise OSError(errno.ENOSPC, text, str(path))


def _progress(name: str, start: int, total: int | None, report: Callable[[str], object]) -> Callable[..., None]:
    """Give a function that is told the bytes done so far and reports them every ten seconds and when finished."""
    started = last = time.monotonic()

    def advance(done: int, finished: bool = False) -> None:
        nonlocal last
        now = time.monotonic()
        if not finished and now - last < REPORT_EVERY:
            return
        last = now
        speed = (done - start) / max(now - started, 1e-3)  # bytes per second
        parts = [_megabytes(done) + (f" of {_megabytes(total)} MB" if total else " MB"), f"{_megabytes(speed)} MB/s"]
        if finished:
            parts.append(f"done in {_duration(now - started)}")
        elif total and speed:
            parts.append(f"{_duration((total - done) / speed)} left")
        report(f"{name}: {', '.join(parts)}")

    return advance


def _megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


class _Member(NamedTuple):
    name: str
    parts: tuple[str, ...]  # of its place below target
    size: int
    kind: str  # file, folder, or what is refused
    open: Callable[[], IO[bytes]]


@contextmanager
def _archive_errors(archive: Path) -> Iterator[None]:
    """Turn what the readers raise on damaged archives into a ValueError that names the archive."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        ValueError,  # a negative offset, a name that is no text
        RuntimeError,  # encrypted; a compression that is not known
    ) as error:
        raise ValueError(
            f"{archive}: damaged, incomplete, or not a zip or tar archive: {error or 'it ends'}"
        ) from error
    except OSError as error:
        if error.errno is not None:  # of the disk; gzip and bz2 raise it without a number
            raise
        raise ValueError(f"{archive}: damaged: {error}") from error


def _open_archive(archive: Path) -> zipfile.ZipFile | tarfile.TarFile:
    with _archive_errors(archive):
        with archive.open("rb") as content:
            is_zip = content.read(2) == b"PK"
        return zipfile.ZipFile(archive) if is_zip else tarfile.open(archive)


def _members(opened: zipfile.ZipFile | tarfile.TarFile, archive: Path) -> list[_Member]:
    with _archive_errors(archive):
        if isinstance(opened, zipfile.ZipFile):
            return [
                _Member(
                    info.filename,
                    _parts(info.filename),
                    info.file_size,
                    _zip_kind(info),
                    functools.partial(opened.open, info),
                )
                for info in opened.infolist()
            ]
        entries = opened.getmembers()
        # tarfile takes a broken header for the end: without the empty block that ends a tar, members are missing.
        content = cast(IO[bytes], opened.fileobj)
        content.seek(opened.offset)
        if content.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError(f"no end of archive after {len(entries):,} members")
        read = cast(Callable[[tarfile.TarInfo], IO[bytes]], opened.extractfile)  # None only for what is no file
        return [
            _Member(info.name, _parts(info.name), info.size, _tar_kind(info), functools.partial(read, info))
            for info in entries
        ]


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _zip_kind(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind in (0, stat.S_IFREG, stat.S_IFDIR):
        return "folder" if entry.is_dir() else "file"
    return "link" if kind == stat.S_IFLNK else "device"


def _tar_kind(entry: tarfile.TarInfo) -> str:
    if entry.isfile():
        return "file"
    if entry.isdir():
        return "folder"
    return "link" if entry.issym() or entry.islnk() else "device"


def _require_safe(chosen: Sequence[_Member], archive: Path, target: Path) -> None:
    """Raise a ValueError that lists the members which are no plain files or folders below `target`."""
    folders = {member.parts[:depth] for member in chosen for depth in range(len(member.parts))} | {()}
    folders |= {member.parts for member in chosen if member.kind == "folder"}
    root = target.resolve()
    outside = {folder for folder in folders if not root.joinpath(*folder).resolve().is_relative_to(root)}
    blocked = {folder for folder in folders - outside if root.joinpath(*folder).is_file()}
    problems = []
    for member in chosen:
        place = root.joinpath(*member.parts)
        if member.kind not in ("file", "folder"):
            problem = f"is a {member.kind}"
        elif member.name.startswith(("/", "\\")) or PureWindowsPath(member.name).drive:
            problem = "has an absolute path"
        elif ".." in member.parts or not outside.isdisjoint([member.parts, member.parts[:-1]]):
            problem = f"would lie outside {target}"
        elif member.kind == "file" and member.parts in folders:
            problem = "is a file and a folder at once"
        elif any(member.parts[:depth] in blocked for depth in range(len(member.parts) + 1)):
            problem = f"needs a folder where {target} has a file"
        elif member.kind == "file" and place.is_dir():
            problem = f"needs a file where {target} has a folder"
        else:
            continue
        problems.append(f"  {member.name!r} {problem}")
    if problems:
        more = [f"  and {len(problems) - 10:,} more"] if len(problems) > 10 else []
        raise ValueError("\n".join([f"{archive}: not unpacked, because of these members:", *problems[:10], *more]))


def _unpack(
    archive: Path,
    chosen: Sequence[_Member],
    folder: Path,
    report: Callable[[str], object],
) -> None:
    done = 0
    advance = _progress(f"unpacking {archive.name}", 0, sum(member.size for member in chosen), report)
    for member in chosen:
        place = folder.joinpath(*member.parts)
        if member.kind == "folder":
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _archive_errors(archive), member.open() as source, place.open("wb") as out:
                shutil.copyfileobj(source, out, BLOCK)
                if out.tell() != member.size:
                    raise EOFError(f"{member.name} has {out.tell():,} of {member.size:,} bytes")
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}, while unpacking {archive}", str(place)) from error
        done += member.size
        advance(done)
    advance(done, finished=True)


def _merge(folder: Path, target: Path) -> None:
    """Rename the entries of `folder` into `target`; a folder that is there already receives the entries."""
    for entry in folder.iterdir():
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            _merge(entry, place)
        else:
            entry.replace(place)
