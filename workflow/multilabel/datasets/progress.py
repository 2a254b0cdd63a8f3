"""What long work on files tells and needs: lines of progress, and room on the disk."""

import errno
import shutil
import time
from collections.abc import Callable
from pathlib import Path

REPORT_EVERY = 10.0  # seconds between two lines of progress


def require_space(path: Path, needed: int) -> None:
    """Raise OSError unless the file system of `path` (a folder, or a file to be in an existing one) has the bytes."""
    free = shutil.disk_usage(path if path.is_dir() else path.parent).free
    if needed > free:
        text = f"needs {needed:,} bytes, {free:,} are free on this disk; make room, or choose a place on another"
        raise OSError(errno.ENOSPC, text, str(path))


def progress(name: str, start: int, total: int | None, report: Callable[[str], object]) -> Callable[..., None]:
    """Give a function that is told the bytes done so far and reports them every ten seconds and when finished."""
    started = last = time.monotonic()

    def advance(done: int, finished: bool = False) -> None:
        nonlocal last
        now = time.monotonic()
        if not finished and now - last < REPORT_EVERY:
            return
        last = now
        speed = (done - start) / max(now - started, 1e-3)  # bytes per second
        parts = [megabytes(done) + (f" of {megabytes(total)} MB" if total else " MB"), f"{megabytes(speed)} MB/s"]
        if finished:
            parts.append(f"done in {_duration(now - started)}")
        elif total and speed:
            parts.append(f"{_duration((total - done) / speed)} left")
        report(f"{name}: {', '.join(parts)}")

    return advance


def megabytes(count: float) -> str:
    """A number of bytes as text."""
    return f"{count / 1e6:,.1f}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
