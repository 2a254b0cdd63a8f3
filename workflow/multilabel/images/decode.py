"""Image files as arrays: one, a small one to look at, or all in their order, decoded in threads."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError


class ImageError(ValueError):
    """A file that is missing or no whole image: `path` and `reason`."""

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path, self.reason = Path(path), reason
        super().__init__(f"{path}: {reason}")


class DamagedImagesError(ValueError):
    """Images that are missing or cannot be decoded: `problems` is a list of (path, reason)."""

    def __init__(self, problems: Sequence[tuple[Path, str]]) -> None:
        self.problems = list(problems)
        lines = [f"  {path}: {reason}" for path, reason in self.problems[:50]]
        more = [f"  and {len(self.problems) - 50} more"] if len(self.problems) > 50 else []
        lines = [f"{len(self.problems)} image(s) are damaged or missing:", *lines, *more]
        super().__init__("\n".join([*lines, "Repair them, or leave them out with dataset.damaged_images: skip"]))


def decode(path: str | Path, size: tuple[int, int]) -> np.ndarray:
    """One image as RGB, uint8 height×width×3, resized bilinearly to (height, width) without keeping the aspect ratio.

    Grey, CMYK, palette and 16-bit images become RGB; transparency is dropped; the orientation that a camera noted is
    not applied, as Keras does not.

    Raises:
        ImageError: the file is missing, empty, cut short, or no image.
    """
    image = _read(path)
    # Rows first, always: Pillow itself chooses the order by the image's shape, and not the same in all versions.
    rows = image.resize((size[1], image.height), Image.Resampling.BILINEAR)
    return np.asarray(rows.resize(size[::-1], Image.Resampling.BILINEAR))


def thumbnail(path: str | Path, side: int) -> np.ndarray:
    """One image as RGB, uint8 height×width×3, to look at: its longer side is `side` or less, its aspect ratio kept.

    Raises:
        ImageError: as `decode` does.
    """
    image = _read(path, about=2 * side)
    image.thumbnail((side, side))
    return np.asarray(image)


def batches(
    paths: Sequence[Path],
    size: tuple[int, int],
    batch_size: int,
    *,
    workers: int,
    damaged: str = "stop",
    skipped: list[tuple[Path, str]] | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Decode images in threads, ahead of who takes them, in their order.

    Args:
        paths: the files.
        size: height and width.
        batch_size: images per batch; the last one takes what is left.
        workers: threads.
        damaged: "stop" checks all files after the first damaged one, but gives no more batches; "skip" leaves it out.
        skipped: takes the (path, reason) of images that were left out, before the batch that follows them.

    Yields:
        Positions in `paths`, int64 (B,), and images, uint8 B×height×width×3.

    Raises:
        DamagedImagesError: with "stop", after all files were checked; lists all damaged ones.
    """
    problems = [] if skipped is None or damaged != "skip" else skipped
    rows: list[int] = []
    pixels: list[np.ndarray] = []
    for row, result in enumerate(_ahead(paths, size, workers, batch_size + 4 * workers)):
        if isinstance(result, ImageError):
            problems.append((result.path, result.reason))
        elif not problems or damaged == "skip":
            rows.append(row)
            pixels.append(result)
        if len(rows) == batch_size:
            yield np.array(rows), np.stack(pixels)
            rows, pixels = [], []
    if problems and damaged != "skip":
        raise DamagedImagesError(problems)
    if rows:
        yield np.array(rows), np.stack(pixels)


def _ahead(
    paths: Sequence[Path], size: tuple[int, int], workers: int, window: int
) -> Iterator[np.ndarray | ImageError]:
    """Each image in order, or why it cannot be had; at most `window` are decoded and not yet taken."""
    waiting: deque[Future[np.ndarray | ImageError]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for path in paths:
            waiting.append(pool.submit(_decode_or_error, path, size))
            if len(waiting) > window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_or_error(path: Path, size: tuple[int, int]) -> np.ndarray | ImageError:
    try:
        return decode(path, size)
    except ImageError as error:
        return error


def _read(path: str | Path, about: int | None = None) -> Image.Image:
    """An image file as RGB. Where about so many pixels will do, a JPEG is decoded at a fraction of its size."""
    try:
        with Image.open(path) as image:
            if about:
                image.draft("RGB", (about, about))
            return _rgb(image)
    except Exception as error:  # decoders fail on damaged bytes in many ways: OSError, SyntaxError, struct.error, …
        raise ImageError(path, _reason(Path(path), error)) from error


def _rgb(image: Image.Image) -> Image.Image:
    """Any of Pillow's modes as RGB."""
    if image.mode.startswith("I"):  # Pillow clips 16 bits in place of scaling them
        image = Image.fromarray((np.asarray(image, np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:  # Pillow warns of a palette with transparency on the way
        image = image.convert("RGBA")
    return image.convert("RGB")


def _reason(path: Path, error: Exception) -> str:
    """Why an image cannot be had, in words."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnidentifiedImageError):
        return "not an image" if path.stat().st_size else "empty file"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
