"""A workflow that is killed at any moment and called again ends in the same bytes as one that never was.

Two runs of their own differ in what is measured, and in nothing else. Here that is asked of one job of each rule that
trains or extracts, with all that goes before it. Of every result of every experiment, and of the hashes in DVC's lock,
which takes as long as a second demo: make test-killed
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

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

EVERYTHING = bool(os.environ.get("KILL_EVERYTHING"))
KILLS = 10
SECONDS = (1.5, 6.0)  # between a start and its end; from reading the rules to the middle of training

FINETUNED = "shapes_smallest_zmuvs_avg_1x8d5_lr11_b32_15_lr12_b16_hwrszf"
TRAINED = [
    f"results/shapes_smallest/{path}"
    for path in (
        f"predictions/{FINETUNED}/test.h5",
        "learning_curve.h5",
        "miml/splits/decisions_0.h5",
        "designs/networks/model2_0.h5",
        "designs/runs/model3_softmax/best.weights.h5",
        "designs/predictions/features_per_label_0/test.h5",
        "single_positive/searches/linear_role_o1.json",
        "single_positive/searches/end_to_end_role_o1.json",
        "query2label/runs/transformer_s0/best.weights.h5",
    )
]
TARGETS = EXPERIMENTS if EVERYTHING else TRAINED


def run_and_kill(folder: Path, seconds: float) -> bool:
    """Start the workflow, and kill it and all its jobs after some seconds; whether it had not ended by itself."""
    command, options = snakemake_call(folder, "--nolock", "--", *TARGETS)  # what was killed left its lock
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
    folder = copy_project(tmp_path / "project", ROOT, *VERSIONING)
    make_smallest(folder)
    succeeds(folder, "git", "init", "--quiet")
    moments = random.Random(int(time.time()))  # another ten in each run of the test
    killed = 0
    for _ in range(KILLS):
        killed += run_and_kill(folder, moments.uniform(*SECONDS))
    assert killed == KILLS
    result = run_snakemake(folder, "--nolock", "--", *TARGETS)
    assert result.returncode == 0, result.stdout
    undisturbed, disturbed = results_of(finished), results_of(folder)
    assert set(disturbed) <= set(undisturbed)
    assert [path for path in disturbed if disturbed[path] != undisturbed[path]] == []
    assert not list((folder / "results").rglob(".state-*"))
    if EVERYTHING:
        assert set(disturbed) == set(undisturbed)
        succeeds(folder, "dvc", "commit", "--force", "demo/dvc.yaml")
        expected, found = locked_hashes(finished), locked_hashes(folder)
        assert set(found) == set(expected)
        assert [entry for entry in expected if found[entry] != expected[entry] and not is_measured(entry[1])] == []
