"""The workflow through profiles/slurm, on a real SLURM of one node with a pretended GPU (cluster.sh beside this file).

Needs root, because SLURM does. Run by: make test-slurm
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import pytest
from workflow.conftest import copy_project, results_of, run_snakemake, snakemake_call

HERE = Path(__file__).parent
CONFIG = HERE / "slurm.yaml"
CLUSTER = HERE / "cluster.sh"
# The profile's own pauses are made for a cluster that others use too. The second question comes 15 s after the first.
PROMPT = ("--slurm-init-seconds-before-status-checks", "5")
# More would be more jobs, but none of another kind.
TARGETS = ("--", "dataset_statistics", "table1", "run_tables", "loss_figures", "table2", "examples")
GROUPS = ("data", "predictions", "evaluation")


class Job(NamedTuple):
    """What SLURM says of a job: the rule or group that it is of, what it asked for, what it holds, and when it ran."""

    name: str
    state: str
    partition: str
    gpus: int
    holds: int
    memory_mb: int
    start: str
    end: str


class Call(NamedTuple):
    """A call of Snakemake: its exit status and output, the jobs that it sent, and how many held a GPU at once."""

    status: int
    output: str
    jobs: list[Job]
    gpus: int


def jobs() -> dict[int, Job]:
    """All jobs of the cluster by their number, those that ended too."""
    found = {}
    command = ["scontrol", "--oneliner", "--details", "show", "job"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for fields in (dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines.splitlines()):
        if "JobId" in fields:
            name = re.sub(r"^rule_|_wildcards_.*$", "", fields["Comment"])
            found[int(fields["JobId"])] = Job(
                next((group for group in GROUPS if name.startswith(f"{group}_")), name),
                fields["JobState"],
                fields["Partition"],
                gpus_in(fields.get("TresPerJob", "")),
                gpus_in(fields.get("GRES", "")),
                int(fields["MinMemoryNode"].removesuffix("M")),
                fields["StartTime"],
                fields["EndTime"],
            )
    return found


def gpus_in(resources: str) -> int:
    """The number of GPUs in SLURM's words, such as `gres:gpu:1` or `gpu:1(IDX:0)`."""
    return sum(map(int, re.findall(r"gpu:(\d+)", resources)))


def through_slurm(folder: Path, *arguments: str, cancel: str) -> Call:
    """Call Snakemake with the profile, and cancel the first job of a rule as soon as it runs."""
    earlier, cancelled, most = jobs().keys(), False, 0
    profile = ("--profile", "profiles/slurm", *PROMPT)
    command, options = snakemake_call(folder, *profile, *arguments, *TARGETS, config=CONFIG, python=sys.executable)
    with TemporaryFile("w+") as output:
        process = subprocess.Popen(command, **options, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            running = {number: job for number, job in jobs().items() if job.state == "RUNNING"}
            most = max(most, sum(job.holds for job in running.values()))
            for number in [number for number, job in running.items() if job.name == cancel and not cancelled]:
                subprocess.run(["scancel", str(number)], check=True)
                cancelled = True
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        output.seek(0)
        sent = [job for number, job in jobs().items() if number not in earlier]
        return Call(process.returncode, output.read(), sent, most)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A SLURM on this machine, as long as the tests run."""
    missing = [program for program in ("slurmctld", "slurmd", "sbatch", "munged") if not shutil.which(program)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; as root: {CLUSTER} install")
    if os.getuid() != 0:
        pytest.skip("SLURM's daemons need root")
    subprocess.run([CLUSTER, "up"], check=True)
    yield
    subprocess.run([CLUSTER, "down"], check=True)


@pytest.fixture(scope="module")
def folder(cluster, tmp_path_factory) -> Path:
    """The project, to be run through SLURM."""
    return copy_project(tmp_path_factory.mktemp("cluster") / "project")


@pytest.fixture(scope="module")
def stopped(folder) -> Call:
    """A call that tries each job once, of whose jobs one was cancelled."""
    return through_slurm(folder, "--retries", "0", cancel="data")


@pytest.fixture(scope="module")
def finished(stopped, folder) -> Call:
    """The next call, of whose jobs one was cancelled too."""
    return through_slurm(folder, cancel="finetune")


def test_a_cancelled_group_is_reported(stopped):
    assert stopped.status != 0
    assert [(job.name, job.state) for job in stopped.jobs] == [("data", "CANCELLED")]
    assert re.search(r"FAILED, one of the jobs sent together .*\n(  .*\n)*  Reading the labels of ", stopped.output), (
        stopped.output
    )


def test_a_cancelled_job_is_reported_and_sent_again_with_more_memory(finished):
    assert finished.status == 0, finished.output
    assert re.search(r"FAILED: Fine-tuning .*\n(  .*\n)* +.* JOB \d+ ON \S+ CANCELLED AT ", finished.output), (
        finished.output
    )
    first, second = (job for job in finished.jobs if job.name == "finetune")
    assert (first.state, second.state) == ("CANCELLED", "COMPLETED")
    assert second.memory_mb == 2 * first.memory_mb


def test_results_are_those_of_a_local_run(finished, folder, tmp_path):
    local = copy_project(tmp_path / "project")
    result = run_snakemake(local, *TARGETS, config=CONFIG)
    assert result.returncode == 0, result.stdout
    expected, found = results_of(local), results_of(folder)
    assert set(found) == set(expected)
    assert [path for path in expected if found[path] != expected[path]] == []


def test_gpu_rules_ask_for_the_gpu_and_its_partition_and_cpu_rules_do_not(finished):
    asked = {job.name: (job.gpus, job.partition) for job in finished.jobs}
    gpu = {name for name in asked if asked[name] == (1, "gpu")}
    kinds = {"top_models" if name.startswith("top_models_") else name for name in gpu}
    assert kinds == {"pretrain", "features", "top_models", "finetune", "predictions"}
    assert {asked[name] for name in asked.keys() - gpu} == {(0, "cpu")}


def test_gpu_rules_hold_the_gpu_one_at_a_time(finished):
    assert finished.gpus == 1
    ran = sorted((job.start, job.end) for job in finished.jobs if job.gpus)
    assert all(end <= start for (_, end), (start, _) in pairwise(ran))


def test_small_jobs_are_sent_together(finished):
    sent = Counter(job.name for job in finished.jobs)
    assert {name: sent[name] for name in GROUPS} == dict.fromkeys(GROUPS, 1)


def test_a_further_call_has_nothing_to_do(finished, folder):
    result = run_snakemake(folder, "--profile", "profiles/slurm", *TARGETS, config=CONFIG, python=sys.executable)
    assert "Nothing to be done" in result.stdout
