"""The demo's data: generated scenes in COCO's format, and single objects that stand in for ImageNet.

Scenes are made so that the demo shows what the paper is about: several labels per image, some frequent and some rare,
labels that occur together, crowds, images without labels. Everything follows from a seed.
"""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from PIL import Image, ImageDraw

from multilabel.files import complete_or_absent, write_json

Ring = np.ndarray
"""Corners of a polygon, k×2 (x, y), within −1…1."""


class Shape(NamedTuple):
    """A filled outline, perhaps with a hole."""

    outline: Ring
    hole: Ring | None = None


def _polygon(*corners: tuple[float, float]) -> Ring:
    return np.array(corners, float)


def _disc(radius: float = 1.0, x: float = 0.0, y: float = 0.0, *, start: float = 0.0, end: float = 2 * np.pi) -> Ring:
    angle = np.linspace(start, end, 33)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def _star() -> Ring:
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2, 0.42, 1.0)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _heart() -> Ring:
    t = np.linspace(0, 2 * np.pi, 33)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x, y], axis=1) / 17


def _crescent() -> Ring:
    outer = _disc(start=np.pi / 4, end=2 * np.pi - np.pi / 4)
    inner = _disc(0.78, 0.62, start=2 * np.pi - 1.9, end=1.9)
    return np.concatenate([outer, inner])


SHAPES = {
    "disc": Shape(_disc(0.9)),
    "square": Shape(_polygon((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8))),
    "triangle": Shape(_polygon((0, -1), (0.95, 0.75), (-0.95, 0.75))),
    "star": Shape(_star()),
    "crescent": Shape(_crescent()),
    "ring": Shape(_disc(), _disc(0.55)),
    "cross": Shape(
        _polygon(
            *[(-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3)],
            *[(0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3), (-1, -0.3), (-0.3, -0.3)],
        )
    ),
    "arrow": Shape(_polygon((-1, -0.25), (0.1, -0.25), (0.1, -0.75), (1, 0), (0.1, 0.75), (0.1, 0.25), (-1, 0.25))),
    "heart": Shape(_heart()),
    "hourglass": Shape(_polygon((-0.8, -1), (0.8, -1), (0.12, 0), (0.8, 1), (-0.8, 1), (-0.12, 0))),
    "frame": Shape(
        _polygon((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
        _polygon((-0.45, -0.45), (0.45, -0.45), (0.45, 0.45), (-0.45, 0.45)),
    ),
    "bolt": Shape(_polygon((0.25, -1), (-0.6, 0.15), (-0.05, 0.15), (-0.3, 1), (0.6, -0.25), (0.05, -0.25), (0.6, -1))),
    # The classes below are in the single objects alone: what the base network learns is more than the scenes ask for.
    "bar": Shape(_polygon((-1, -0.22), (1, -0.22), (1, 0.22), (-1, 0.22))),
    "corner": Shape(_polygon((-0.8, -0.9), (-0.3, -0.9), (-0.3, 0.4), (0.8, 0.4), (0.8, 0.9), (-0.8, 0.9))),
    "tee": Shape(
        _polygon(
            *[(-0.9, -0.9), (0.9, -0.9), (0.9, -0.4), (0.25, -0.4)],
            *[(0.25, 0.9), (-0.25, 0.9), (-0.25, -0.4), (-0.9, -0.4)],
        )
    ),
    "half disc": Shape(_disc(y=0.4, start=np.pi, end=2 * np.pi)),
    "chevron": Shape(_polygon((-0.9, -0.9), (0.1, -0.9), (0.9, 0), (0.1, 0.9), (-0.9, 0.9), (-0.1, 0))),
    "diamond": Shape(_polygon((0, -1), (0.6, 0), (0, 1), (-0.6, 0))),
    "house": Shape(_polygon((0, -1), (0.85, -0.2), (0.85, 0.9), (-0.85, 0.9), (-0.85, -0.2))),
    "wedge": Shape(_polygon((-0.9, 0.8), (0.9, 0.8), (0.9, -0.8))),
}
CLASSES = tuple(SHAPES)[:12]
CATEGORY_IDS = (1, 2, 3, 5, 6, 7, 8, 10, 11, 13, 15, 18)  # with gaps, as COCO's

# A scene has a theme, whose shapes occur together; a disc may be anywhere, as a person may.
THEMES = {
    ("square", "triangle", "frame"): 0.40,
    ("star", "crescent", "ring"): 0.32,
    ("arrow", "cross", "bolt"): 0.18,
    ("heart", "hourglass", "ring"): 0.10,
}
WITHIN_THEME = (0.62, 0.26, 0.12)
DISC = 0.45
LABELS_PER_SCENE = (0.04, 0.36, 0.34, 0.18, 0.08)  # probability of 0, 1, 2, … labels before discs are added
CROWD = 0.03
RADIUS = (0.15, 0.23)  # of an object, as a share of the picture's width
RADIUS_ALONE = (0.26, 0.44)  # in pixels about as large, in a picture half as wide
GREY = 0.03
OVERSAMPLING = 4


def write_scenes(folder: str | Path, *, train: int, val: int, size: int, seed: int) -> None:
    """Write scenes as `folder/{train,val}/*.png` and `folder/annotations/instances_{train,val}.json`.

    Args:
        folder: where to.
        train: number of training scenes.
        val: number of validation scenes.
        size: height and width in pixels.
        seed: the same seed gives the same files.
    """
    folder = Path(folder)
    for number, (split, count) in enumerate({"train": train, "val": val}.items()):
        shutil.rmtree(folder / split, ignore_errors=True)
        (folder / split).mkdir(parents=True)
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for index in range(count):
            rng = np.random.default_rng([seed, number, index])
            picture, objects = _scene(rng, size)
            image_id = number * 1_000_000 + index * 3 + 1
            name = f"{image_id:012}.png"
            picture.save(folder / split / name, compress_level=1)  # 6, the usual one, takes most of the time
            images.append({"id": image_id, "file_name": name, "height": size, "width": size})
            annotations += [{"image_id": image_id, **found} for found in objects]
        numbered = [{"id": place + 1, **annotation} for place, annotation in enumerate(annotations)]
        categories = [{"id": key, "name": name} for key, name in zip(CATEGORY_IDS, CLASSES, strict=True)]
        content = {"images": images, "annotations": numbered, "categories": categories}
        write_json(folder / "annotations" / f"instances_{split}.json", content, indent=None)


def write_single_objects(path: str | Path, *, images: int, size: int, seed: int) -> None:
    """Write images of one object each: `images` N×size×size×3 uint8, `labels` (N,) int64, attribute `classes`.

    Args:
        path: the HDF5 file.
        images: how many; the 20 classes take turns.
        size: height and width in pixels.
        seed: the same seed gives the same bytes.
    """
    names = list(SHAPES)
    pixels = np.empty((images, size, size, 3), np.uint8)
    for index in range(images):
        rng = np.random.default_rng([seed, 2, index])
        background, canvas = _background(rng, size)
        radius = rng.uniform(*RADIUS_ALONE) * size
        x, y = rng.uniform(radius, size - radius, 2)
        _draw(rng, canvas, names[index % len(names)], x, y, radius, background)
        pixels[index] = np.asarray(canvas)
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        file["images"] = pixels
        file["labels"] = np.arange(images, dtype=np.int64) % len(names)
        file.attrs["classes"] = names


def _scene(rng: np.random.Generator, size: int) -> tuple[Image.Image, list[dict[str, Any]]]:
    """One picture and its annotations."""
    background, canvas = _background(rng, size)
    objects: list[dict[str, Any]] = []
    placed: list[tuple[float, float, float]] = []
    for name in _labels(rng):
        for _ in range(rng.choice([1, 2], p=[0.8, 0.2])):
            radius = rng.uniform(*RADIUS) * size
            x, y = _free_place(rng, size, radius, placed)
            placed.append((x, y, radius))
            mask, corners = _draw(rng, canvas, name, x, y, radius, background)
            objects.append(_annotation(name, np.asarray(mask) > 127, [corners.round(2).ravel().tolist()]))
    if rng.random() < CROWD:
        name = str(rng.choice(CLASSES))
        together = np.zeros((size, size), bool)
        for _ in range(6):
            x, y = rng.uniform(0.1 * size, 0.9 * size, 2)
            together |= np.asarray(_draw(rng, canvas, name, x, y, 0.05 * size, background)[0]) > 127
        objects.append(_annotation(name, together, _run_lengths(together)))
    return (canvas.convert("L") if rng.random() < GREY else canvas), objects


def _labels(rng: np.random.Generator) -> list[str]:
    """The classes of a scene."""
    count = rng.choice(len(LABELS_PER_SCENE), p=LABELS_PER_SCENE)
    if not count:
        return []
    theme = list(THEMES)[rng.choice(len(THEMES), p=list(THEMES.values()))]
    others = [name for name in CLASSES[1:] if name not in theme]
    drawn = rng.choice(theme, min(count, len(theme)), replace=False, p=WITHIN_THEME)
    wanted = list(drawn) + list(rng.permutation(others)[: max(0, count - len(theme))])
    if rng.random() < 0.25:
        wanted[-1] = str(rng.choice(others))
    return [str(name) for name in wanted] + (["disc"] if rng.random() < DISC else [])


def _free_place(
    rng: np.random.Generator, size: int, radius: float, placed: list[tuple[float, float, float]]
) -> tuple[float, float]:
    """Where an object hides others least, of some places drawn at random."""
    places = rng.uniform(radius, size - radius, (24, 2))
    if not placed:
        return float(places[0, 0]), float(places[0, 1])
    others = np.array(placed)
    gaps = np.hypot(*(places[:, None] - others[None, :, :2]).transpose(2, 0, 1)) - others[:, 2] - radius
    x, y = places[gaps.min(axis=1).argmax()]
    return float(x), float(y)


def _background(rng: np.random.Generator, size: int) -> tuple[float, Image.Image]:
    """A gradient with some noise, and how bright it is on average."""
    start, end = rng.uniform(40, 215, 3), rng.uniform(-35, 35, 3)
    ramp = np.linspace(0, 1, size)[:, None, None]
    if rng.random() < 0.5:
        ramp = ramp.transpose(1, 0, 2)
    pixels = start + end * ramp + rng.normal(0, 5, (size, size, 1))
    return float(pixels.mean()), Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _draw(
    rng: np.random.Generator, canvas: Image.Image, name: str, x: float, y: float, radius: float, background: float
) -> tuple[Image.Image, Ring]:
    """Put a shape on the picture, turned a little and perhaps mirrored.

    Gives its mask in grey, and the corners of its outline in pixels.
    """
    turn, side = rng.uniform(-0.35, 0.35), (-1, 1)[rng.integers(2)]
    cos, sin = math.cos(turn), math.sin(turn)
    rotation = np.array([[side * cos, side * sin], [-sin, cos]])
    mask = Image.new("L", (canvas.width * OVERSAMPLING, canvas.height * OVERSAMPLING))
    draw = ImageDraw.Draw(mask)
    shape = SHAPES[name]
    rings = [ring @ rotation * radius + [x, y] for ring in shape if ring is not None]
    for ring, fill in zip(rings, (255, 0), strict=False):
        draw.polygon([tuple(corner) for corner in ring * OVERSAMPLING], fill=fill)
    # A polygon in COCO's format is one line: it goes once around the outline, over to the hole, around that and back.
    corners = np.concatenate([part for ring in rings for part in (ring, ring[:1])]) if len(rings) > 1 else rings[0]
    mask = mask.reduce(OVERSAMPLING)
    canvas.paste(_colour(rng, background), mask=mask)
    return mask, corners


def _colour(rng: np.random.Generator, background: float) -> tuple[int, ...]:
    """A colour that stands out from the background: clearly brighter or clearly darker."""
    while True:
        colour = rng.uniform(0, 255, 3).tolist()
        if abs(sum(colour) / 3 - background) > 60:
            return tuple(int(part) for part in colour)


def _annotation(name: str, mask: np.ndarray, segmentation: list | Mapping[str, Any]) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = [0, 0, 0, 0]
    if len(rows):
        box = [int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
    return {
        "category_id": CATEGORY_IDS[CLASSES.index(name)],
        "iscrowd": int(isinstance(segmentation, Mapping)),
        "area": int(mask.sum()),
        "bbox": box,
        "segmentation": segmentation,
    }


def _run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """COCO's uncompressed encoding: lengths of runs of 0 and 1 in turn, column by column, from 0."""
    flat = mask.T.ravel().astype(np.int8)
    changes = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate([[0] if flat[0] == 0 else [0, 0], changes, [len(flat)]])
    return {"counts": np.diff(bounds).tolist(), "size": list(mask.shape)}
