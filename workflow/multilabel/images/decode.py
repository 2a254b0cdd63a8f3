"""Image files as arrays: one, a small one to look at, or all in their order, decoded in threads."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

LARGEST = 178_956_970
"""Pixels above which Pillow takes any file for an attack. Here a JPEG above is decoded at a fraction of its size."""
Image.MAX_IMAGE_PIXELS = None

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an image upright, by the orientation that EXIF notes."""


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


def reading(config: Mapping[str, Any]) -> dict[str, Any]:
    """`workers` and `damaged` of `batches` from the configuration.

    They change no result that there is, so scripts read them past the parameters of their rules: another value is no
    reason to run again.
    """
    return {"workers": config["features"]["workers"], "damaged": config["dataset"]["damaged_images"]}


def decode(path: str | Path, size: tuple[int, int], *, orient: bool = True) -> np.ndarray:
    """One image as RGB, uint8 height×width×3, resized bilinearly to (height, width) without keeping the aspect ratio.

    Grey, CMYK, palette and 16-bit images become RGB; transparency is dropped.

    Args:
        path: the file. A JPEG of more than 179 megapixels is decoded at a fraction of its size, still at least four
            times as high and as wide as the result.
        size: height and width.
        orient: whether the image is turned as the orientation that a camera noted in EXIF says. Keras does not, and so
            did the papers.

    Raises:
        ImageError: the file is missing, empty, cut short, no image, or another one than a JPEG of more than 179
            megapixels.
    """
    image = _read(path, orient=orient, about=4 * max(size), fully=True)
    # Rows first, always: Pillow itself chooses the order by the image's shape, and not the same in all versions.
    rows = image.resize((size[1], image.height), Image.Resampling.BILINEAR)
    return np.asarray(rows.resize(size[::-1], Image.Resampling.BILINEAR))


def thumbnail(path: str | Path, side: int, *, orient: bool = True) -> np.ndarray:
    """One image as RGB, uint8 height×width×3, to look at: its longer side is `side` or less, its aspect ratio kept.

    Raises:
        ImageError: as `decode` does.
    """
    image = _read(path, orient=orient, about=2 * side)
    image.thumbnail((side, side))
    return np.asarray(image)


def batches(
    paths: Sequence[Path],
    size: tuple[int, int],
    batch_size: int,
    *,
    workers: int,
    damaged: str = "stop",
    orient: bool = True,
    skipped: list[tuple[Path, str]] | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Decode images in threads, ahead of who takes them, in their order.

    Args:
        paths: the files.
        size: height and width.
        batch_size: images per batch; the last one takes what is left.
        workers: threads.
        damaged: "stop" checks all files after the first damaged one, but gives no more batches; "skip" leaves it out.
        orient: see `decode`.
        skipped: takes the (path, reason) of images that were left out, before the batch that follows them.

    Yields:
        Positions in `paths`, int64 (B,), and images, uint8 B×height×width×3.

    Raises:
        DamagedImagesError: with "stop", after all files were checked; lists all damaged ones.
    """
    problems = [] if skipped is None or damaged != "skip" else skipped
    rows: list[int] = []
    pixels: list[np.ndarray] = []
    for row, result in enumerate(_ahead(paths, size, orient, workers, batch_size + 4 * workers)):
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
    paths: Sequence[Path], size: tuple[int, int], orient: bool, workers: int, window: int
) -> Iterator[np.ndarray | ImageError]:
    """Each image in order, or why it cannot be had; at most `window` are decoded and not yet taken."""
    waiting: deque[Future[np.ndarray | ImageError]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for path in paths:
            waiting.append(pool.submit(_decode_or_error, path, size, orient))
            if len(waiting) > window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_or_error(path: Path, size: tuple[int, int], orient: bool) -> np.ndarray | ImageError:
    try:
        return decode(path, size, orient=orient)
    except ImageError as error:
        return error


def _read(path: str | Path, *, orient: bool, about: int, fully: bool = False) -> Image.Image:
    """An image file as RGB; a JPEG at a fraction of its size, with sides of `about` or more.

    With `fully` that is so above the largest size only.
    """
    try:
        with Image.open(path) as image:
            if not fully or image.width * image.height > LARGEST:
                image.draft("RGB", (about, about))
            if image.width * image.height > LARGEST:
                raise ValueError(
                    f"{image.width:,} × {image.height:,} pixels; above {LARGEST:,} only a JPEG can be read, at a "
                    "fraction of its size. Make a smaller copy"
                )
            upright = _rgb(image)  # reads the pixels, before which PNG does not know of EXIF
            turn = _turn(image) if orient else None
            return upright if turn is None else upright.transpose(turn)
    except Exception as error:  # decoders fail on damaged bytes in many ways: OSError, SyntaxError, struct.error, …
        raise ImageError(path, _reason(Path(path), error)) from error


def _rgb(image: Image.Image) -> Image.Image:
    """Any of Pillow's modes as RGB."""
    if image.mode.startswith("I"):  # Pillow clips 16 bits in place of scaling them
        image = Image.fromarray((np.asarray(image, np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:  # Pillow warns of a palette with transparency on the way
        image = image.convert("RGBA")
    return image.convert("RGB")


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What brings an image upright, where that is noted."""
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF says nothing of the pixels
        return None


def _reason(path: Path, error: Exception) -> str:
    """Why an image cannot be had, in words."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnidentifiedImageError):
        return "not an image" if path.stat().st_size else "empty file"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
