import os
from pathlib import Path

import pytest
from hypothesis import settings

import multilabel

# Processes that tests start find the library, and what tests share, as the tests do.
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(multilabel.__file__).parents[1]), str(Path(__file__).parent)])
# As `devices.configure` does for jobs.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# A busy machine is no failure: no test is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first. Of the files that wait for the finished demo, one builds it while others run that do not."""
    waiting = list(dict.fromkeys(item.path for item in items if "finished" in getattr(item, "fixturenames", ())))

    def turn(item: pytest.Item) -> int:
        if item.path in waiting:
            return 0 if item.path == waiting[0] else 2
        return 1 if item.path.parent.name == "workflow" else 3

    items.sort(key=turn)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {folder}")
    return folder
