"""What a trained network costs: its parameters, and the time that it takes for an image."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from multilabel import export


def measured(paths: Sequence[str | Path], *, batch_size: int) -> pd.DataFrame:
    """One row per model file: run, parameters, and milliseconds per decoded image: the best of some repeats."""
    rows = []
    for path in paths:
        file = export.load(path)
        network, scores = export.network(file)
        taken = export.milliseconds(scores, file.size, batch_size=batch_size)
        rows.append((file.run, network.count_params(), taken))
    return pd.DataFrame(rows, columns=["run", "parameters", "ms per image"])
