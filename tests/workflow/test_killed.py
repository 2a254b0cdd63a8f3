"""A workflow that is killed at any moment and called again ends in the same bytes as one that never was."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from .conftest import copy_project, results_of, run_snakemake, snakemake_call

KILLS = 10
SECONDS = (2.0, 8.0)  # between a start and its end; from reading the rules to the middle of training


def run_and_kill(folder: Path, seconds: float) -> bool:
    """Start the workflow, and kill it and all its jobs after some seconds; whether it had not ended by itself."""
    command, options = snakemake_call(folder, "--nolock")  # what was killed left its lock
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


def test_a_workflow_killed_ten_times_ends_in_the_same_bytes(finished, tmp_path):
    folder = copy_project(tmp_path / "project")
    moments = random.Random(int(time.time()))  # another ten in each run of the test
    killed = 0
    for _ in range(KILLS):
        killed += run_and_kill(folder, moments.uniform(*SECONDS))
    assert killed == KILLS
    result = run_snakemake(folder, "--nolock")
    assert result.returncode == 0, result.stdout
    undisturbed, disturbed = results_of(finished), results_of(folder)
    assert set(disturbed) == set(undisturbed)
    assert [path for path in undisturbed if disturbed[path] != undisturbed[path]] == []
    assert not list((folder / "results").rglob(".state-*"))
