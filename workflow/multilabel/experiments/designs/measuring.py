"""What a design costs: seconds per image, bytes on disk, memory."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from multilabel import devices
from multilabel.experiments.designs import inference, networks

BATCHES = (1, 32)
SECONDS, AT_LEAST = 0.3, 3
"""A way of inference is repeated for so long, and so often; the fastest counts."""
AGREEMENT = 1e-6
"""How far the scores of one call may be from those of single calls."""


def cost(models: Sequence[keras.Model], files: Sequence[str | Path], *, memory: int) -> dict[str, Any]:
    """The cost of inference with some networks.

    Args:
        models: L networks of one output each, or one of L outputs.
        files: where their weights lie.
        memory: the process' peak in bytes before they were loaded, see `devices.peak_memory`.

    Returns:
        `parameters` (those of shared layers once), `bytes` on disk, `memory` (what the process' peak grew by until each
        network had been used once), and milliseconds per image, for each batch n: `calls_n`, one compiled call per
        network; `one_call_n`, all in one; and `predict_1`, Keras' own `predict` per network, as the tutorial does it.

    Raises:
        RuntimeError: the scores of one call differ from those of single calls.
    """
    size = models[0].input_shape[1]
    images = {n: tf.constant(np.random.default_rng(0).random((n, size, size, 3), np.float32)) for n in BATCHES}
    calls = inference.one_after_the_other(models)
    separate = {n: calls(batch).numpy() for n, batch in images.items()}
    found: dict[str, Any] = {
        "networks": len(models),
        "parameters": parameters(models),
        "bytes": sum(Path(path).stat().st_size for path in files),
        "memory": devices.peak_memory() - memory,
    }
    together = inference.in_one_call(models) if len(models) > 1 else calls
    for n, batch in images.items():
        scores = tf.sigmoid(together(batch)).numpy()
        distance = float(np.abs(scores - tf.sigmoid(separate[n]).numpy()).max())
        if not distance <= AGREEMENT:
            raise RuntimeError(f"scores in one call differ from those of single calls by {distance}")
        found[f"calls_{n}"] = milliseconds(calls, batch) / n
        found[f"one_call_{n}"] = milliseconds(together, batch) / n
    one = images[1].numpy()
    found["predict_1"] = milliseconds(lambda batch: [model.predict(batch, verbose=0) for model in models], one)
    return found


def milliseconds(call: Callable[[Any], Any], batch: Any) -> float:
    """What a call takes once it is warm: the fastest of several."""
    call(batch)
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < AT_LEAST or time.perf_counter() - started < SECONDS:
        begun = time.perf_counter()
        np.asarray(call(batch))  # the scores are there, not only on their way
        taken.append(time.perf_counter() - begun)
    return 1000 * min(taken)


def parameters(models: Sequence[keras.Model]) -> int:
    """The number of weights of some networks, those of convolutions that all share once."""
    shared = len(models) > 1 and inference.shares_convolutions(models)
    total = sum(model.count_params() for model in models)
    of_convolutions = sum(layer.count_params() for layer in networks.convolutions(models[0]))
    return total - shared * (len(models) - 1) * of_convolutions
