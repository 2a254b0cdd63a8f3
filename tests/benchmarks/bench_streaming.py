"""Memory of training on 7×7 features of all of train2017 in float32, a file of 12 GB.

Expected: at most 3 GB. The file is sparse: it has zeros, and takes no place on disk.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from comparison import Row, in_own_process, report

IMAGES, FEATURES, CLASSES = 118_287, 7 * 7 * 512, 80
RUN = "coco_2017_zmuvs_77_1x64d5_lr11_b128"
SETTINGS = {"epochs": 1, "patience": 5, "min_delta": 0.0, "momentum": 0.9, "decay": 1e-6, "seed": 0, "memory_gb": 2.0}


def write(folder: Path, split: str, count: int) -> None:
    """Write the features and labels of a split."""
    from multilabel.datasets.labels import LabelMatrix

    with h5py.File(folder / f"{split}.h5", "w") as file:
        file["image_id"] = np.arange(count)
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((count, FEATURES))
        h5py.h5d.create(file.id, b"features", h5py.h5t.IEEE_F32LE, space, dcpl=layout)
    names = [f"{row}.jpg" for row in range(count)]
    truth = np.random.default_rng(0).random((count, CLASSES)) < 2.9 / CLASSES
    LabelMatrix(np.arange(count), names, [f"class {j}" for j in range(CLASSES)], truth).save(
        folder / f"{split}_labels.h5"
    )


def rows() -> Iterator[Row]:
    """The peak of memory of a process that trains one epoch, beside what it may take and what the file holds."""
    with tempfile.TemporaryDirectory() as name:
        for split, count in (("train", IMAGES), ("val", 5_000)):
            write(Path(name), split, count)
        size = (Path(name) / "train.h5").stat().st_size / 1e9
        peak = [in_own_process(__file__, name)["memory"]]
    work = f"training on {size:.1f} GB of features: memory"
    yield Row(work, "the 3 GB it may take", peak, [3.0], "GB", expected=1)
    yield Row(work, "the file itself", peak, [size], "GB")


if __name__ == "__main__":
    from multilabel import devices

    devices.configure(2, gpu=False)
    from multilabel.experiments.transfer import top_models

    folder = sys.argv[1]
    top_models.train(
        {RUN: [f"{folder}/train.h5", f"{folder}/val.h5"]},
        labels=[f"{folder}/train_labels.h5", f"{folder}/val_labels.h5"],
        folder=f"{folder}/runs",
        settings=SETTINGS,
        record={},
    )
    report()
