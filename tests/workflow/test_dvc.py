"""DVC and Snakemake together: what one has made or brought, the other takes as it is, and nothing old is locked as new.

In copies of the finished project, in which the smallest configuration is in place of the demo's.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from .conftest import VERSIONING, call, commit, copy_project, planned, results_of, succeeds

STAGES = "demo/dvc.yaml"
CONFIG = "config/demo.yaml"
RESULTS = Path("results/shapes_smallest")
# The jobs that depend on the number of draws for "best possible".
AFTER_EDIT = ["Paper 000 against ours, number by number", "Table 2: the final model beside published results"]


def versions(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return call(folder, "python", "workflow/versions.py", *arguments, "--configfile", CONFIG)


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new))


def ran(output: str) -> list[str]:
    """The stages that `dvc repro` ran."""
    return re.findall(r"Running stage 'demo/dvc.yaml:(\w+)'", output)


def jobs(output: str) -> list[str]:
    """What Snakemake's jobs did, without the target that a stage calls."""
    return sorted(message for message in re.findall(r"done\] (.+)", output) if "are complete" not in message)


@pytest.fixture(scope="module")
def locked(finished, tmp_path_factory) -> Path:
    """The project as Snakemake left it, without DVC's lock, after `dvc commit` and `dvc push`. Do not change it."""
    project = tmp_path_factory.mktemp("locked") / "project"
    copy_project(project, finished, *VERSIONING, ".git", "results", ".snakemake")
    (project / "demo/dvc.lock").unlink()
    succeeds(project, "dvc", "commit", "--force", STAGES)
    commit(project, "Results of the smallest demo")
    succeeds(project, "dvc", "push", STAGES)
    return project


@pytest.fixture(scope="module")
def pulled(locked) -> Path:
    """A clone of it beside it after `dvc pull`. Do not change it."""
    clone = locked.parent / "clone"
    succeeds(locked.parent, "git", "clone", "--quiet", str(locked), str(clone))
    succeeds(clone, "dvc", "pull", STAGES)
    return clone


@pytest.fixture(scope="module")
def restored(pulled) -> Path:
    """A copy of that clone after the restore command. Do not change it."""
    folder = pulled.parent / "restored"
    shutil.copytree(pulled, folder)
    result = versions(folder, "restore")
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture
def copy_of(tmp_path):
    """Give a copy of a folder, beside the same remote as it, that a test may change."""

    def copied(folder: Path) -> Path:
        return Path(shutil.copytree(folder, tmp_path / "project"))

    return copied


# What Snakemake made


def test_results_that_snakemake_made_are_taken_as_they_are(locked):
    output = succeeds(locked, "dvc", "repro", STAGES)
    assert ran(output) == []
    assert "up to date" in output
    assert succeeds(locked, "git", "status", "--porcelain") == ""


def test_locking_leaves_snakemake_nothing_to_do(locked):
    assert planned(locked, config=CONFIG) == {}


def test_every_result_is_versioned(locked, pulled):
    assert results_of(pulled) == results_of(locked)


# What DVC brought


def test_after_restoring_there_is_nothing_to_do(restored):
    assert planned(restored, config=CONFIG) == {}
    assert ran(succeeds(restored, "dvc", "repro", STAGES)) == []
    assert succeeds(restored, "git", "status", "--porcelain") == ""


def test_an_edit_before_restoring_is_refused_and_nothing_is_locked(copy_of, pulled):
    folder = copy_of(pulled)
    lock = (folder / "demo/dvc.lock").read_bytes()
    edit(folder, "config/config.yaml", "ties: 10 ", "ties: 9 ")
    result = call(folder, "dvc", "repro", STAGES)
    assert result.returncode != 0
    assert "Refused; nothing was run, nothing is locked." in result.stdout
    assert f"python workflow/versions.py restore --configfile {CONFIG}" in result.stdout
    assert (folder / "demo/dvc.lock").read_bytes() == lock
    result = versions(folder, "restore")
    assert result.returncode != 0
    assert "evaluate: changed deps config/config.yaml: evaluation" in result.stdout
    assert "git stash" in result.stdout


def test_results_of_another_commit_are_not_taken_for_those_made_here(copy_of, restored):
    """Snakemake's records fit the configuration, the files do not: DVC replaced them after they were made."""
    folder = copy_of(restored)
    weights = next((folder / RESULTS / "top_models").glob("*/best.weights.h5"))
    os.utime(weights, (weights.stat().st_mtime + 60,) * 2)
    edit(folder, "config/config.yaml", "ties: 10 ", "ties: 9 ")
    result = call(folder, "dvc", "repro", STAGES)
    assert result.returncode != 0
    assert str(weights.relative_to(folder)) in result.stdout


def test_files_that_are_not_pulled_are_not_restored(copy_of, pulled):
    folder = copy_of(pulled)
    shutil.rmtree(folder / RESULTS / "finetuned")
    result = versions(folder, "restore")
    assert result.returncode != 0
    assert f"{RESULTS}/finetuned deleted" in result.stdout
    assert f"dvc pull {STAGES}" in result.stdout


# After an edit


def test_an_edited_parameter_runs_what_depends_on_it_and_the_tools_agree(copy_of, restored):
    folder = copy_of(restored)
    before = results_of(folder)
    edit(folder, "config/config.yaml", "ties: 10 ", "ties: 9 ")
    output = succeeds(folder, "dvc", "repro", STAGES)
    assert ran(output) == ["evaluate", "report"]
    assert jobs(output) == AFTER_EDIT
    assert planned(folder, config=CONFIG) == {}
    after = results_of(folder)
    assert {Path(path).stem for path in after if after[path] != before[path]} == {"table2", "reproduction"}


def test_what_snakemake_made_after_an_edit_is_taken_by_dvc(copy_of, restored):
    folder = copy_of(restored)
    edit(folder, "config/config.yaml", "ties: 10 ", "ties: 9 ")
    output = succeeds(folder, "snakemake", "--cores", "2", "--configfile", CONFIG)
    assert jobs(output) == AFTER_EDIT
    output = succeeds(folder, "dvc", "repro", STAGES)
    assert ran(output) == ["evaluate", "report"]
    assert len(re.findall("Nothing to be done", output)) == 2
    assert "up to date" in succeeds(folder, "dvc", "status", STAGES)


# What DVC shows


def test_metrics_and_plots_are_understood(locked):
    shown = succeeds(locked, "dvc", "metrics", "show", "--md")
    assert "mean_average_precision" in shown
    assert "shapes_smallest_zmuvs_avg_1x8d5_lr11_b32_15_lr12_b16_hwrszf" in shown
    succeeds(locked, "dvc", "plots", "show", "--out", "../plots")
    page = (locked.parent / "plots/index.html").read_text()
    for title in ("Learning curves", "Average precision of each class", "Precision and recall"):
        assert title in page
    assert "zmuvs_avg_1x16d5_lr11_b32" in page


# Runs that are named no more


def test_runs_that_are_named_no_more_are_listed_and_then_removed(copy_of, restored):
    folder = copy_of(restored)
    edit(folder, CONFIG, "zmuvs_{77_1x8bn_lr52_b16,avgzca_1x8d5_lr11_b32}", "zmuvs_avgzca_1x8d5_lr11_b32")
    name = "top_models/shapes_smallest_zmuvs_77_1x8bn_lr52_b16"
    old = {f"{RESULTS}/timing/{name}.csv", f"{RESULTS}/{name}"}
    assert set(re.findall(r"^  (.+)$", versions(folder, "prune").stdout, re.MULTILINE)) == old
    assert all((folder / path).exists() for path in old)
    before = {str(path.relative_to(folder)) for path in (folder / RESULTS).rglob("*")}
    assert versions(folder, "prune", "--yes").returncode == 0
    after = {str(path.relative_to(folder)) for path in (folder / RESULTS).rglob("*")}
    assert {path for path in before - after if str(Path(path).parent) not in old} == old


# What DVC built


def test_dvc_builds_the_demo_from_a_fresh_clone(finished):
    lock = yaml.safe_load((finished / "demo/dvc.lock").read_text())
    assert list(lock["stages"]) == list(yaml.safe_load((finished / STAGES).read_text())["stages"])
    assert "up to date" in succeeds(finished, "dvc", "status", STAGES)


def test_the_lock_is_the_same_whoever_ran_the_workflow(finished, locked):
    assert (finished / "demo/dvc.lock").read_bytes() == (locked / "demo/dvc.lock").read_bytes()
