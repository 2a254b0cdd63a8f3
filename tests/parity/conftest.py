import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def parity() -> Path:
    """The folder of numbers that official code computed: `PARITY_DATA`, or the one beside the project."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data" / "parity"
    folder = Path(os.environ.get("PARITY_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the numbers in {folder}")
    return folder
