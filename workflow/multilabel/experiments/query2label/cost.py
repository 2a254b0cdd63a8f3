"""What a trained network costs: its parameters, and the time that it takes for an image."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from multilabel import export
from multilabel.experiments.query2label import model

REPEATS = 5


def measured(paths: Sequence[str | Path], *, batch_size: int) -> pd.DataFrame:
    """One row per model file: run, parameters, and milliseconds per decoded image: the best of some repeats."""
    rows = []
    for path in paths:
        file = export.load(path)
        network, scores = model.network(file)
        compiled = tf.function(scores)
        pixels = tf.constant(np.random.default_rng(0).integers(0, 256, (batch_size, *file.size, 3), np.uint8))
        compiled(pixels)
        seconds = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            compiled(pixels).numpy()
            seconds.append(time.perf_counter() - started)
        rows.append((file.run, network.count_params(), 1000 * min(seconds) / batch_size))
    return pd.DataFrame(rows, columns=["run", "parameters", "ms per image"])
