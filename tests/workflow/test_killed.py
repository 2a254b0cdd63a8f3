"""A workflow that is killed at any moment and called again ends in the same bytes as one that never was.

And so in the same hashes in DVC's lock: two runs of their own differ in what is measured, and in nothing else.
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import forks
import pytest

from multilabel.experiments import EXPERIMENTS

from .conftest import (
    ROOT,
    VERSIONING,
    copy_project,
    is_measured,
    locked_hashes,
    make_smallest,
    results_of,
    run_snakemake,
    snakemake_call,
    succeeds,
)

KILLS = 10
SECONDS = (1.5, 6.0)  # between a start and its end; from reading the rules to the middle of training


def run_and_kill(folder: Path, seconds: float) -> bool:
    """Start the workflow, and kill it and all its jobs after some seconds; whether it had not ended by itself."""
    command, options = snakemake_call(folder, "--nolock", "--", *EXPERIMENTS)  # what was killed left its lock
    process = subprocess.Popen(
        command, **options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


@pytest.fixture
def other_hashes(finished):
    """Processes whose hashes have another seed than those that finished the project, as those of two users have."""
    forks.python.cache_clear()


def test_a_workflow_killed_ten_times_ends_in_the_same_bytes(finished, other_hashes, tmp_path):
    folder = copy_project(tmp_path / "project", ROOT, *VERSIONING)
    make_smallest(folder)
    succeeds(folder, "git", "init", "--quiet")
    moments = random.Random(int(time.time()))  # another ten in each run of the test
    killed = 0
    for _ in range(KILLS):
        killed += run_and_kill(folder, moments.uniform(*SECONDS))
    assert killed == KILLS
    result = run_snakemake(folder, "--nolock", "--", *EXPERIMENTS)
    assert result.returncode == 0, result.stdout
    undisturbed, disturbed = results_of(finished), results_of(folder)
    assert set(disturbed) == set(undisturbed)
    assert [path for path in undisturbed if disturbed[path] != undisturbed[path]] == []
    assert not list((folder / "results").rglob(".state-*"))
    succeeds(folder, "dvc", "commit", "--force", "demo/dvc.yaml")
    expected, found = locked_hashes(finished), locked_hashes(folder)
    assert set(found) == set(expected)
    assert [entry for entry in expected if found[entry] != expected[entry] and not is_measured(entry[1])] == []
