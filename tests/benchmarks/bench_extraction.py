"""Extraction of six feature files, beside a pass of `model.predict` for each and beside the bare network.

Expected: at least 2.5 times as fast as the passes of `predict`; at least 0.9 of the bare network's rate.
VGG16 at 224×224 in full width, random weights, JPEG images of 640×480. Takes some minutes a round on two cores.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from comparison import Row, in_own_process, report
from PIL import Image

from multilabel import devices

SIZE, BATCH = 224, 32
DESIGNS = [(preprocess, pooling) for preprocess in ("inet", "zmuvs") for pooling in ("77", "avg", "max")]


def draw(folder: Path, count: int) -> None:
    """Noise of several scales, which JPEG packs about as well as it does photographs."""
    rng = np.random.default_rng(0)
    for number in range(count):
        image = sum(
            np.asarray(Image.fromarray(rng.integers(0, 64, (h, w, 3), dtype=np.uint8)).resize((640, 480)), np.uint16)
            for h, w in ((3, 4), (15, 20), (60, 80), (240, 320))
        )
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number:04}.jpg", quality=90)


def ours(folder: Path, place: Path) -> float:
    """Extraction by this library."""
    devices.configure(os.cpu_count() or 1, gpu=False)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.features import extraction
    from multilabel.networks import backbones

    names = sorted(path.name for path in folder.iterdir())
    labels = LabelMatrix(np.arange(len(names)), tuple(names), ("any",), np.zeros((len(names), 1)))
    base = backbones.build("VGG16", input_size=SIZE)
    outputs = {design: place / f"{'_'.join(design)}.h5" for design in DESIGNS}
    started = time.monotonic()
    extraction.extract(
        labels,
        folder,
        base,
        outputs,
        skipped=place / "skipped.csv",
        batch_size=BATCH,
        reading={"workers": 4, "damaged": "stop"},
        provenance={},
        report=lambda line: None,
    )
    return time.monotonic() - started


def predict(folder: Path, place: Path) -> float:
    """One pass per file, as Keras' guides do it."""
    import keras

    from multilabel.images.normalise import normalise
    from multilabel.networks import backbones

    base = backbones.build("VGG16", input_size=SIZE)
    layers = {
        "77": keras.layers.Flatten(),
        "avg": keras.layers.GlobalAveragePooling2D(),
        "max": keras.layers.GlobalMaxPooling2D(),
    }
    started = time.monotonic()
    for preprocess, pooling in DESIGNS:
        pixels = keras.utils.image_dataset_from_directory(
            folder, labels=None, image_size=(SIZE, SIZE), batch_size=BATCH, shuffle=False, verbose=False
        )
        pixels = pixels.map(lambda batch, kind=preprocess: normalise(batch, kind)).prefetch(2)
        found = keras.Sequential([base, layers[pooling]]).predict(pixels, verbose=0)
        np.save(place / f"{preprocess}_{pooling}.npy", found.astype(np.float16) if pooling == "77" else found)
    return time.monotonic() - started


def bare(folder: Path, place: Path) -> float:
    """The network alone on as many images as there are files, a batch in memory at a time."""
    devices.configure(os.cpu_count() or 1, gpu=False)
    import tensorflow as tf

    from multilabel.networks import backbones

    base = backbones.build("VGG16", input_size=SIZE)
    forward = tf.function(lambda pixels: base(pixels, training=False))
    pixels = tf.constant(np.random.default_rng(0).random((BATCH, SIZE, SIZE, 3), np.float32))
    forward(pixels)
    count = len(list(folder.iterdir())) // BATCH
    started = time.monotonic()
    for _ in range(count):
        forward(pixels).numpy()
    return time.monotonic() - started


def rows(rounds: int = 2, count: int = 192) -> Iterator[Row]:
    """Rows for both peers, and for memory; each contender in a process of its own, without its start-up."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as place:
        draw(Path(folder), count)
        found = [{each: in_own_process(__file__, each, folder, place) for each in CONTENDERS} for _ in range(rounds)]
    seconds = {each: [values[each]["seconds"] for values in found] for each in CONTENDERS}
    work = f"{len(DESIGNS)} feature files of {count} images"
    yield Row(work, "model.predict for each file", seconds["ours"], seconds["predict"], expected=2.5)
    twice = [2 * value for value in seconds["bare"]]  # a pass for each normalisation
    yield Row(work, "the bare network, one pass each", seconds["ours"], twice, expected=0.9)
    memory = ([values[each]["memory"] for values in found] for each in ("ours", "predict"))
    yield Row(f"{work}: memory", "model.predict for each file", *memory, unit="GB")


CONTENDERS = {"bare": bare, "ours": ours, "predict": predict}

if __name__ == "__main__":
    report(seconds=CONTENDERS[sys.argv[1]](*map(Path, sys.argv[2:])))
