"""Inference of Query2Label with ResNet-101 at 448×448, batches of 8, beside the same network in PyTorch on the CPU.

Expected: at least 0.9 of PyTorch's images per second. PyTorch has an environment of its own, whose Python the variable
TORCH_PYTHON names: python3 -m venv torch && torch/bin/pip install torch numpy. Without it, nothing is measured.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from comparison import Row, in_own_process, report

from multilabel import devices

BATCH, SIZE, PASSES = 8, 448, 3
PEER = Path(__file__).with_name("query2label_in_pytorch.py")


def ours() -> float:
    """Seconds of the fastest pass over a batch, compiled and with batch normalisation folded, as `predict` does it."""
    devices.configure(os.cpu_count() or 1, gpu=False)
    import tensorflow as tf

    from multilabel.experiments.query2label import model
    from multilabel.networks import folding

    architecture = model.Architecture(
        {"kind": "resnet", "network": "resnet101"},
        image_size=SIZE,
        classes=80,
        width=2048,
        feedforward=8192,
        heads=4,
        encoder_layers=1,
        decoder_layers=2,
        project=False,
        normalise="torch",
    )
    network = folding.fold(model.build(architecture))
    forward = tf.function(lambda images: network(images, training=False))
    images = tf.constant(np.random.default_rng(0).standard_normal((BATCH, SIZE, SIZE, 3), np.float32))
    forward(images)
    seconds = []
    for _ in range(PASSES):
        started = time.perf_counter()
        forward(images).numpy()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def theirs(python: str) -> tuple[float, str]:
    """The same of PyTorch, and its version."""
    command = [python, str(PEER), *map(str, (PASSES, BATCH, os.cpu_count() or 1))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(result.stdout.splitlines()[-1])
    return min(found["seconds"]), found["version"]


def rows(rounds: int = 3) -> Iterator[Row]:
    """One row; each contender in a process of its own, in turn, without its start-up."""
    python = os.environ.get("TORCH_PYTHON")
    if not python:
        print(
            "Query2Label: skipped, it needs PyTorch: TORCH_PYTHON=…/bin/python (see bench_query2label.py)", flush=True
        )
        return
    found = [(in_own_process(__file__)["seconds"], *theirs(python)) for _ in range(rounds)]
    mine, peers, versions = zip(*found, strict=True)
    yield Row(
        f"Query2Label, ResNet-101 at {SIZE}, a batch of {BATCH}", f"PyTorch {versions[0]}", mine, peers, expected=0.9
    )


if __name__ == "__main__":
    report(seconds=ours())
