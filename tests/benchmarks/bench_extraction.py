"""Times the extraction of six feature files beside a pass of `model.predict` per file and beside the bare network.

Run by hand: python tests/benchmarks/bench_extraction.py [images] [repeats]
Expected: at least 2.5 times as fast as the passes of `predict`; at least 0.9 of the bare network's rate.
Takes about 4 minutes per repeat on two cores. VGG16 at 224×224 in full width, random weights, JPEG images of 640×480.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from multilabel import devices

SIZE, BATCH = 224, 32
Seconds = np.ndarray
"""Of wall time, and of processors: the latter compare where the machine has other work, too."""
DESIGNS = [(preprocess, pooling) for preprocess in ("inet", "zmuvs") for pooling in ("77", "avg", "max")]


def clocks() -> Seconds:
    return np.array([time.monotonic(), time.process_time()])


def draw(folder: Path, count: int) -> None:
    """Noise of several scales, which JPEG packs about as well as it does photographs."""
    rng = np.random.default_rng(0)
    for number in range(count):
        image = sum(
            np.asarray(Image.fromarray(rng.integers(0, 64, (h, w, 3), dtype=np.uint8)).resize((640, 480)), np.uint16)
            for h, w in ((3, 4), (15, 20), (60, 80), (240, 320))
        )
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number:04}.jpg", quality=90)


def ours(folder: Path, place: Path) -> Seconds:
    """Extraction by this library."""
    devices.configure(os.cpu_count() or 1, gpu=False)
    from multilabel import backbones, features
    from multilabel.labels import LabelMatrix

    names = sorted(path.name for path in folder.iterdir())
    labels = LabelMatrix(np.arange(len(names)), tuple(names), ("any",), np.zeros((len(names), 1)))
    base = backbones.build("VGG16", input_size=SIZE)
    outputs = {design: place / f"{'_'.join(design)}.h5" for design in DESIGNS}
    started = clocks()
    features.extract(
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
    return clocks() - started


def predict(folder: Path, place: Path) -> Seconds:
    """One pass per file, as Keras' guides do it."""
    import keras

    from multilabel import backbones, images

    base = backbones.build("VGG16", input_size=SIZE)
    layers = {
        "77": keras.layers.Flatten(),
        "avg": keras.layers.GlobalAveragePooling2D(),
        "max": keras.layers.GlobalMaxPooling2D(),
    }
    started = clocks()
    for preprocess, pooling in DESIGNS:
        pixels = keras.utils.image_dataset_from_directory(
            folder, labels=None, image_size=(SIZE, SIZE), batch_size=BATCH, shuffle=False, verbose=False
        )
        pixels = pixels.map(lambda batch, kind=preprocess: images.normalise(batch, kind)).prefetch(2)
        found = keras.Sequential([base, layers[pooling]]).predict(pixels, verbose=0)
        np.save(place / f"{preprocess}_{pooling}.npy", found.astype(np.float16) if pooling == "77" else found)
    return clocks() - started


def bare(folder: Path, place: Path) -> Seconds:
    """The network alone on as many images as there are files, a batch in memory at a time."""
    devices.configure(os.cpu_count() or 1, gpu=False)
    import tensorflow as tf

    from multilabel import backbones

    base = backbones.build("VGG16", input_size=SIZE)
    forward = tf.function(lambda pixels: base(pixels, training=False))
    pixels = tf.constant(np.random.default_rng(0).random((BATCH, SIZE, SIZE, 3), np.float32))
    forward(pixels)
    count = len(list(folder.iterdir())) // BATCH
    started = clocks()
    for _ in range(count):
        forward(pixels).numpy()
    return clocks() - started


def measured(contender: str, folder: Path) -> dict[str, list[float]]:
    """What a contender takes in a process of its own: seconds without start-up, and GB of memory at its peak."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, __file__, contender, str(folder), place]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def compare(count: int = 64, repeats: int = 3) -> None:
    """Print rows for each peer: a ratio is the median over the repeats, with the smallest and the largest."""
    count -= count % BATCH
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), count)
        rounds = [{each: measured(each, Path(name)) for each in ("bare", "ours", "predict")} for _ in range(repeats)]
    seconds = {each: np.array([found[each]["seconds"] for found in rounds]) for each in rounds[0]}
    seconds["bare"] *= 2  # one pass for each normalisation
    peak = {each: max(found[each]["peak"] for found in rounds) for each in rounds[0]}
    print(f"{count} images, {len(DESIGNS)} files; best seconds of {repeats}, the ratio's median (range), peak memory")
    for peer, title in (("predict", "extraction: predict per file"), ("bare", "extraction: bare network")):
        for clock, kind in enumerate(("wall", "CPU")):
            mine, other = seconds["ours"][:, clock], seconds[peer][:, clock]
            ratio = other / mine
            print(
                f"{title:28s} {kind:4s} ours {mine.min():6.1f}  peer {other.min():6.1f}  ratio {np.median(ratio):5.2f} "
                f"({ratio.min():.2f}–{ratio.max():.2f})  memory {peak['ours']:.1f} GB, peer {peak[peer]:.1f} GB"
            )


if __name__ == "__main__":
    if len(sys.argv) == 4:
        taken = {"ours": ours, "predict": predict, "bare": bare}[sys.argv[1]](*map(Path, sys.argv[2:]))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps({"seconds": taken.tolist(), "peak": memory}))
    else:
        compare(*map(int, sys.argv[1:]))
