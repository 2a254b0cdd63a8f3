import os
from pathlib import Path

import pytest
from hypothesis import settings

import multilabel

# Processes that tests start find the library as the tests do.
os.environ["PYTHONPATH"] = str(Path(multilabel.__file__).parents[1])

# A busy machine is no failure: no test is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {folder}")
    return folder
