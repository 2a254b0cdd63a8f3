import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def parity():
    """The folder of numbers that the papers' own code computed; PARITY_DATA may name another of the same form."""
    beside = Path(__file__).resolve().parents[3] / "shared/data/parity"
    folder = Path(os.environ.get("PARITY_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"needs the parity fixtures in {folder}")
    return folder


@pytest.fixture(scope="session")
def arrays(parity):
    """Arrays of a fixture by their keys: `arrays("asl")`."""

    def load(name):
        with np.load(parity / f"{name}.npz") as file:
            return dict(file)

    return load
