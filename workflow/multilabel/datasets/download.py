"""Published files: fetched with resume and verification."""

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from multilabel.datasets.progress import megabytes, progress, require_space
from multilabel.datasets.published import RemoteFile

TIMEOUT = 60.0  # seconds without a byte, after which a connection counts as lost
BLOCK = 1 << 20  # bytes


class DownloadError(OSError):
    """No address gave the file; the message lists each with its reason."""


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
        file: what to fetch, such as `published.SOURCES["val2017.zip"]`.
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
    if not (file.md5 or file.sha256):
        report(f"{file.name}: no checksum of it is published; its length is what the server says")
        partial.unlink(missing_ok=True)  # nobody could tell whether the rest would fit
    if file.size is not None:
        require_space(path, file.size - _length(partial))

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
        + (f"{megabytes(kept)} MB are kept in {partial}: running again goes on from there.\n" if kept else "")
        + f"Without a connection: put the file at {path}, or name your copy in the configuration."
    )


def verify(file: RemoteFile, path: str | Path) -> None:
    """Check that `path` holds `file`, by size and checksum.

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
            report(f"{file.name}: {address}: {error}; trying again in {wait:g} s from {megabytes(have)} MB on")
            time.sleep(wait)


def _receive(file: RemoteFile, address: str, partial: Path, report: Callable[[str], object]) -> None:
    """Append to `partial` what one connection gives.

    No `If-Range`: a checksum says which bytes are wanted, so a file that changed on the server is useless anyhow.
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
            require_space(partial, total - _length(partial))

        advance = progress(file.name, have, total, report)
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
                done = f"{megabytes(_length(partial))} MB of {file.name}"
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
    kind, expected = ("md5", file.md5) if file.md5 else ("sha256", file.sha256)
    if not expected:
        return None
    with path.open("rb") as content:
        found = hashlib.file_digest(content, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
    return None if found.startswith(expected) else f"expected {kind} {expected}, found {found}"


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
