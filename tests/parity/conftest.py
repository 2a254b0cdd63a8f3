"""Numbers that official research code computed: the folder in PARITY_DATA, else the one beside the project."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def parity() -> Path:
    folder = Path(os.environ.get("PARITY_DATA", Path(__file__).parents[3] / "shared" / "data" / "parity"))
    if not folder.is_dir():
        pytest.skip(f"no such folder: {folder}; set PARITY_DATA")
    return folder
