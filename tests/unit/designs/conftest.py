import numpy as np
import pytest
from PIL import Image

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.designs import images

CLASSES = ("red", "green", "blue")
SIZE = 8


@pytest.fixture
def make_split(tmp_path):
    """A function that writes images whose colours are their labels, and reads them as a split."""

    def make(name, count=24, *, memory_gb=1.0, ignored=None):
        rng = np.random.default_rng(len(name))
        labels = (rng.random((count, 3)) < 0.5).astype(np.uint8)
        labels[:3] = np.eye(3)
        if ignored is not None:
            labels[ignored] = 0
        folder = tmp_path / name
        folder.mkdir()
        for row, colours in enumerate(labels):
            Image.fromarray(np.tile(200 * colours + 20, (SIZE, SIZE, 1)).astype(np.uint8)).save(folder / f"{row}.png")
        names = tuple(f"{row}.png" for row in range(count))
        LabelMatrix(np.arange(count) + 100, names, CLASSES, labels, ignored=ignored).save(tmp_path / f"{name}.h5")
        reading = {"workers": 1, "damaged": "stop", "orient": True}
        return images.load(tmp_path / f"{name}.h5", folder, SIZE, memory_gb=memory_gb, reading=reading)

    return make


@pytest.fixture
def settings():
    return {
        "sizes": {"input_size": SIZE, "filters": (2,), "hidden": 4, "dropout": (0.25, 0.5)},
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 0.01,
        "augmentation": {"shear": 0.2, "zoom": 0.2, "flip": True},
        "seed": 0,
        "gamma": 2.0,
    }
