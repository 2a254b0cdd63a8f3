"""Images from files to what a network takes: decoding, normalisation, augmentation."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from multilabel.runs import ALIASES, PREPROCESSES

if TYPE_CHECKING:
    import tensorflow as tf

SCALE = 0.1
"""How far augmentation goes: shifts and zoom of 10 %, shear of 0.1 radians, rotation of 10 degrees (FML, section 5.1)."""

CAFFE_MEAN = (103.939, 116.779, 123.68)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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
    """One image as RGB, uint8 height×width×3, resized bilinearly without keeping the aspect ratio.

    Grey, CMYK, palette and 16-bit images become RGB; transparency is dropped; the orientation that a camera noted is not
    applied, as Keras does not.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: the file is no image, or damaged.
    """
    with Image.open(path) as image:
        if image.mode.startswith("I"):  # Pillow clips 16 bits in place of scaling them
            image = Image.fromarray((np.asarray(image, np.int64) >> 8).clip(0, 255).astype(np.uint8))
        return np.asarray(image.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR))


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
        skipped: takes the (path, reason) of images that were left out.

    Yields:
        Positions in `paths`, int64 (B,), and images, uint8 B×height×width×3.

    Raises:
        DamagedImagesError: with "stop", after all files were checked; lists all damaged ones.
    """
    problems: list[tuple[Path, str]] = []
    rows: list[int] = []
    pixels: list[np.ndarray] = []
    for row, result in enumerate(_ahead(paths, size, workers, batch_size + 4 * workers)):
        if isinstance(result, str):
            problems.append((paths[row], result))
        elif not problems or damaged == "skip":
            rows.append(row)
            pixels.append(result)
        if len(rows) == batch_size:
            yield np.array(rows), np.stack(pixels)
            rows, pixels = [], []
    if problems and damaged != "skip":
        raise DamagedImagesError(problems)
    if skipped is not None:
        skipped.extend(problems)
    if rows:
        yield np.array(rows), np.stack(pixels)


def normalise(images: Any, kind: str, statistics: ChannelStatistics | None = None) -> "tf.Tensor":
    """Pixel values 0…255, N×H×W×3, as a network takes them: float32, in a graph or not.

    `inet`: x/127.5 − 1. `zmuvs`: each image minus its mean, divided by its standard deviation, over all pixels and
    colours; a constant image becomes 0. `zmuvf`: each colour minus its mean over the training images, divided by its
    standard deviation. `caffe`: BGR minus ImageNet's means. `torch`: x/255 minus ImageNet's means, divided by its
    deviations. (Maddox 2017, section 4.1, for the first three.)

    Raises:
        ValueError: another kind, or `zmuvf` without statistics.
    """
    import tensorflow as tf

    x = tf.cast(images, tf.float32)
    kind = ALIASES.get(kind, kind)
    if kind == "inet":
        return x / 127.5 - 1.0
    if kind == "zmuvs":
        mean, variance = tf.nn.moments(x, axes=[1, 2, 3], keepdims=True)
        return tf.math.divide_no_nan(x - mean, tf.sqrt(variance))
    if kind == "caffe":
        return x[..., ::-1] - tf.constant(CAFFE_MEAN)
    if kind == "torch":
        return (x / 255.0 - tf.constant(IMAGENET_MEAN)) / tf.constant(IMAGENET_STD)
    if kind == "zmuvf" and statistics:
        return (x - tf.constant(statistics.mean)) / tf.constant(statistics.std)
    if kind == "zmuvf":
        raise ValueError("normalisation zmuvf: expected the channel statistics of the training images, found none")
    raise ValueError(f"normalisation: expected one of {', '.join(PREPROCESSES)}, found {kind!r}")


def channel_statistics(batches_: Iterable[np.ndarray]) -> ChannelStatistics:
    """Mean and standard deviation of each colour over all pixels of all images, summed exactly as whole numbers."""
    count, total, squares = 0, np.zeros(3, np.int64), np.zeros(3, np.int64)
    for batch in batches_:
        values = batch.reshape(-1, 3).astype(np.int64)
        count += len(values)
        total += values.sum(axis=0)
        squares += (values * values).sum(axis=0)
    mean = total / count
    return ChannelStatistics(tuple(mean.tolist()), tuple(np.sqrt(squares / count - mean * mean).tolist()))


def augment(images: Any, letters: str, seed: Any) -> "tf.Tensor":
    """Random distortions of images, another for each: h and w shift, r rotates, s shears, z zooms, f flips left–right.

    What falls outside takes the nearest pixel, as in the paper's Keras of 2017, whose matrices these are: rotation ·
    shift · shear · zoom about the centre, nearest-pixel interpolation.

    Args:
        images: N×H×W×3, uint8 or float32.
        letters: some of `hwrszf`.
        seed: int32 (2,); the same seed gives the same distortions.

    Returns:
        The images, of the same shape and type.
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    size = {"h": tf.cast(height, tf.float32), "w": tf.cast(width, tf.float32)}

    def draw(letter: str, index: int, low: float, high: float) -> tf.Tensor:
        """One number per image; every letter has its own stream."""
        if letter not in letters:
            return tf.fill([count], (low + high) / 2)
        stream = tf.stack([tf.cast(seed[0], tf.int32), tf.cast(seed[1], tf.int32) * 16 + index])
        return tf.random.stateless_uniform([count], stream, low, high)

    turn = draw("r", 0, -np.pi / 18, np.pi / 18)
    down = draw("h", 1, -SCALE, SCALE) * size["h"]
    right = draw("w", 2, -SCALE, SCALE) * size["w"]
    shear = draw("s", 3, -SCALE, SCALE)
    zoom_y, zoom_x = draw("z", 4, 1 - SCALE, 1 + SCALE), draw("z", 5, 1 - SCALE, 1 + SCALE)
    flip = tf.sign(draw("f", 6, -1.0, 1.0)) if "f" in letters else tf.ones([count])

    # Rows and columns of the output → of the input: rotation · shift · shear · zoom, in (row, column) coordinates.
    cos, sin = tf.cos(turn), tf.sin(turn)
    yy, yx = cos * zoom_y, (-cos * tf.sin(shear) - sin * tf.cos(shear)) * zoom_x
    xy, xx = sin * zoom_y, (-sin * tf.sin(shear) + cos * tf.cos(shear)) * zoom_x
    move_y, move_x = cos * down - sin * right, sin * down + cos * right
    centre_y, centre_x = (size["h"] - 1) / 2, (size["w"] - 1) / 2
    yx, xx = yx * flip, xx * flip  # a flip of the result mirrors its columns about the centre
    offset_y = move_y + centre_y - yy * centre_y - yx * centre_x
    offset_x = move_x + centre_x - xy * centre_y - xx * centre_x
    zero = tf.zeros([count])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([xx, xy, offset_x, yx, yy, offset_y, zero, zero], axis=1),
        output_shape=tf.stack([height, width]),
        interpolation="NEAREST",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


def _ahead(paths: Sequence[Path], size: tuple[int, int], workers: int, window: int) -> Iterator[np.ndarray | str]:
    """Each image in order, or why it cannot be had; at most `window` are decoded and not yet taken."""
    waiting: deque[Future[np.ndarray | str]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for path in paths:
            waiting.append(pool.submit(_decode_or_reason, path, size))
            if len(waiting) > window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_or_reason(path: Path, size: tuple[int, int]) -> np.ndarray | str:
    try:
        return decode(path, size)
    except FileNotFoundError:
        return "no such file"
    except UnidentifiedImageError:
        return "empty file" if not Path(path).stat().st_size else "not an image"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return str(error)
