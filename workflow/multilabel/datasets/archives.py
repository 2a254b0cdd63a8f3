"""Archives, unpacked completely or not at all."""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import IO, NamedTuple, cast

from multilabel.datasets.progress import progress, require_space

_Archive = zipfile.ZipFile | tarfile.TarFile


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
    with _opened(archive) as opened:
        with _archive_errors(archive):
            chosen = [member for member in _members(opened) if members is None or members(member.name)]
        _require_safe(chosen, archive, target)
        was_there = target.exists()
        target.mkdir(parents=True, exist_ok=True)
        temporary = target / f".{archive.name}.partial"  # not outside: target may be a file system of its own
        try:
            require_space(target, sum(member.size for member in chosen))
            if temporary.exists():  # of a run that was killed
                shutil.rmtree(temporary)
            temporary.mkdir()
            _unpack(archive, opened, chosen, temporary, report)
            _merge(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            if not was_there:
                with suppress(OSError):  # another process writes there
                    target.rmdir()
            raise
        shutil.rmtree(temporary)


class _Member(NamedTuple):
    name: str
    size: int
    kind: str  # file, folder, or what is refused
    entry: zipfile.ZipInfo | tarfile.TarInfo

    @property
    def parts(self) -> tuple[str, ...]:
        """Its place below the target, whichever slashes were used."""
        return tuple(part for part in self.name.replace("\\", "/").split("/") if part not in ("", "."))


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


@contextmanager
def _opened(archive: Path) -> Iterator[_Archive]:
    with _archive_errors(archive):
        with archive.open("rb") as content:
            kind = zipfile.ZipFile if content.read(2) == b"PK" else tarfile.open
        opened = kind(archive)
    with opened:
        yield opened


def _members(opened: _Archive) -> list[_Member]:
    if isinstance(opened, zipfile.ZipFile):
        return [_Member(entry.filename, entry.file_size, _zip_kind(entry), entry) for entry in opened.infolist()]
    entries = opened.getmembers()
    # tarfile takes a broken header for the end: without the empty block that ends a tar, members are missing.
    content = cast(IO[bytes], opened.fileobj)
    content.seek(opened.offset)
    if content.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError(f"no end of archive after {len(entries):,} members")
    return [_Member(entry.name, entry.size, _tar_kind(entry), entry) for entry in entries]


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
    archive: Path, opened: _Archive, chosen: Sequence[_Member], folder: Path, report: Callable[[str], object]
) -> None:
    done = 0
    advance = progress(f"unpacking {archive.name}", 0, sum(member.size for member in chosen), report)
    for member in chosen:
        try:
            with _archive_errors(archive):
                if isinstance(opened, zipfile.ZipFile):
                    opened.extract(cast(zipfile.ZipInfo, member.entry), folder)
                else:
                    opened.extract(cast(tarfile.TarInfo, member.entry), folder, filter=_content_only)
        except OSError as error:
            raise OSError(
                error.errno, f"{error.strerror}, while unpacking {archive}", str(folder / member.name)
            ) from error
        done += member.size
        advance(done)
    advance(done, finished=True)


def _content_only(entry: tarfile.TarInfo, _: str) -> tarfile.TarInfo:
    """A member without its owner, mode and time; `_require_safe` has refused what tarfile's own filters would."""
    nothing = dict.fromkeys(("mtime", "mode", "uid", "gid", "uname", "gname"))
    return entry.replace(**nothing, deep=False)  # type: ignore[arg-type]


def _merge(folder: Path, target: Path) -> None:
    """Rename the entries of `folder` into `target`; a folder that is there already receives the entries."""
    for entry in folder.iterdir():
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            _merge(entry, place)
        else:
            entry.replace(place)
