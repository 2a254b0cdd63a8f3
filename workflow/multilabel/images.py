"""Images from files to what a network takes: decoding, normalisation, augmentation."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from multilabel.experiments.transfer.runs import ALIASES, AUGMENTATIONS, PREPROCESSES

if TYPE_CHECKING:
    import tensorflow as tf

SCALE = 0.1
"""How far augmentation goes: shifts and zoom ±10 %, shear ±0.1 radians (Maddox 2017, section 5.1)."""
TURN = np.pi / 18
"""And rotation: ±10 degrees."""

CAFFE_MEAN = (103.939, 116.779, 123.68)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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


class ChannelStatistics(NamedTuple):
    """Mean and standard deviation of each colour, three numbers each, for `zmuvf`."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


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


def normalise(images: Any, kind: str, statistics: ChannelStatistics | None = None) -> "tf.Tensor":
    """Pixel values 0…255, N×H×W×3 of any type, as a network takes them: float32, in a graph or not.

    `inet`: x/127.5 − 1. `zmuvs`: each image minus its mean, divided by its standard deviation, over all pixels and
    colours. `zmuvf`: each colour minus its mean over the training images, divided by its standard deviation. `caffe`:
    BGR minus ImageNet's means. `torch`: x/255 minus ImageNet's means, divided by its deviations. What does not vary, an
    image with `zmuvs` or a colour with `zmuvf`, becomes 0. (Maddox 2017, section 4.1, for the first three.)

    >>> normalise(np.array([[[[0, 0, 0], [255, 255, 255]]]]), "inet").numpy().ravel().tolist()
    [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]

    Raises:
        ValueError: another kind, or `zmuvf` without statistics.
    """
    import tensorflow as tf

    x = tf.cast(images, tf.float32)
    kind = ALIASES.get(kind, kind)
    if kind == "inet":
        return x / 127.5 - 1.0
    if kind == "zmuvs":
        x -= x[:, :1, :1, :1]  # exactly 0 where nothing varies; the float32 mean of equal values can differ from them
        x -= tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
        return tf.math.divide_no_nan(x, tf.sqrt(tf.reduce_mean(tf.square(x), axis=[1, 2, 3], keepdims=True)))
    if kind == "caffe":
        return x[..., ::-1] - tf.constant(CAFFE_MEAN)
    if kind == "torch":
        return (x / 255.0 - tf.constant(IMAGENET_MEAN)) / tf.constant(IMAGENET_STD)
    if kind == "zmuvf" and statistics:
        return tf.math.divide_no_nan(x - tf.constant(statistics.mean), tf.constant(statistics.std))
    if kind == "zmuvf":
        raise ValueError("normalisation zmuvf: expected the channel statistics of the training images, found none")
    raise ValueError(f"normalisation: expected one of {', '.join(PREPROCESSES)}, found {kind!r}")


def channel_statistics(batches_: Iterable[np.ndarray]) -> ChannelStatistics:
    """Mean and standard deviation of each colour over all pixels of all images, N×H×W×3 uint8 at a time.

    Every value is counted, so that the sums are exact whatever the number of images and the size of the batches.

    Raises:
        ValueError: there is no image.
    """
    counts = np.zeros((3, 256), np.int64)
    for batch in batches_:
        counts += [np.bincount(batch[..., colour].ravel(), minlength=256) for colour in range(3)]
    pixels = counts[0].sum()
    if not pixels:
        raise ValueError("channel statistics: expected at least one image, found none")
    values = np.arange(256)
    mean = counts @ values / pixels
    variance = (counts * (values - mean[:, None]) ** 2).sum(axis=1) / pixels
    return ChannelStatistics(tuple(mean.tolist()), tuple(np.sqrt(variance).tolist()))


def augment(images: Any, letters: str, seed: Any) -> "tf.Tensor":
    """Random distortions of images, another for each: h and w shift, r rotates, s shears, z zooms, f flips left–right.

    The matrices are those of the paper's Keras of 2017: rotation · shift · shear · zoom, each drawn uniformly, height
    and width zoomed apart; the nearest pixel is taken (spline order 0), beyond the border that of the border; then half
    of the images, on average, are flipped. One thing differs: that Keras turned, sheared and zoomed about a point one
    pixel below and right of the centre, this does so about the centre.

    Args:
        images: N×H×W×3, uint8 or float32.
        letters: some of `hwrszf`; with none the images come back as they are.
        seed: int32 (2,); the same seed gives the same distortions, and no letter changes those of another.

    Returns:
        The images, of the same shape and type.

    Raises:
        ValueError: another letter.
    """
    import tensorflow as tf

    if unknown := sorted(set(letters) - set(AUGMENTATIONS)):
        raise ValueError(f"augmentation {letters!r}: expected letters of {AUGMENTATIONS}, found {', '.join(unknown)}")
    images = tf.convert_to_tensor(images)
    if not letters:
        return images
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    rows, columns = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    draws = tf.unstack(tf.random.stateless_uniform([count, 7], seed, -1.0, 1.0), axis=1)

    def drawn(letter: str, index: int, reach: float) -> tf.Tensor:
        """One number per image in ±reach; 0 where the letter is absent."""
        return reach * draws[index] if letter in letters else tf.zeros([count])

    turn, shear = drawn("r", 0, TURN), drawn("s", 1, SCALE)
    down, right = drawn("h", 2, SCALE) * rows, drawn("w", 3, SCALE) * columns
    zoom_y, zoom_x = 1 + drawn("z", 4, SCALE), 1 + drawn("z", 5, SCALE)
    flip = tf.where(drawn("f", 6, 1.0) < 0, -1.0, 1.0)

    # From a row and column of the result to those of the image, both counted from the centre; xy: how the column of the
    # image depends on the row of the result. A flip of the result mirrors its columns.
    cos, sin = tf.cos(turn), tf.sin(turn)
    yy, yx = cos * zoom_y, (-cos * tf.sin(shear) - sin * tf.cos(shear)) * zoom_x * flip
    xy, xx = sin * zoom_y, (-sin * tf.sin(shear) + cos * tf.cos(shear)) * zoom_x * flip
    centre_y, centre_x = (rows - 1) / 2, (columns - 1) / 2
    offset_y = cos * down - sin * right + centre_y - yy * centre_y - yx * centre_x
    offset_x = sin * down + cos * right + centre_x - xy * centre_y - xx * centre_x
    zero = tf.zeros([count])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([xx, xy, offset_x, yx, yy, offset_y, zero, zero], axis=1),
        output_shape=tf.stack([height, width]),
        interpolation="NEAREST",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


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
