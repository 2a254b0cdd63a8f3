"""A clone of the project in which the smallest demo was built once; tests change copies of it."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import forks
import pytest
import yaml
from filelock import FileLock

from multilabel.experiments import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[2]
SMALLEST = ROOT / "tests/workflow/smallest.yaml"
CODE = ("Snakefile", "config", "workflow", "envs", "profiles")
VERSIONING = (".dvc/config", ".dvc/.gitignore", ".dvc/plots", ".dvcignore", ".gitignore", "dvc.yaml", "demo")
FIGURES = {
    "fig2",
    "fig3",
    "fig4a",
    "fig4b",
    "fig5a",
    "fig5b",
    "fig5c",
    "fig6a",
    "fig7",
    "finetuning",
    "cooccurrence",
    "learning_curve",
}


def copy_project(target: Path, source: Path = ROOT, *more: str) -> Path:
    """Copy what the workflow needs, keeping times, and folders named in `more`."""
    for name in (*CODE, *more):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    return target


def snakemake_call(
    folder: Path, *arguments: str, config: str | Path = SMALLEST, python: str | None = None
) -> tuple[list[str], dict[str, Any]]:
    """The command by which a user calls Snakemake in a folder, and what `subprocess` needs besides.

    Args:
        folder: where.
        arguments: targets and further options.
        config: the configuration file.
        python: what runs it and its jobs; None: `forks.python`.
    """
    python = python or forks.python()
    command = [python, "-m", "snakemake", "--cores", "2", "--configfile", str(config), *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    places = dict.fromkeys(str(Path(program).parent) for program in (python, sys.executable))
    environment["PATH"] = os.pathsep.join([*places, environment["PATH"]])
    return command, {"cwd": folder, "env": environment}


def run_snakemake(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Call Snakemake; gives exit status and output."""
    command, place = snakemake_call(folder, *arguments, **options)
    return subprocess.run(command, **place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def dry_run(
    folder: Path, *arguments: str, over: str | Path | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """The same without running a job.

    Args:
        folder: where.
        arguments: targets and further options.
        over: a configuration that is laid over the other.
        options: of `snakemake_call`.
    """
    laid_over = [] if over is None else [str(over)]
    return run_snakemake(folder, *laid_over, "--dry-run", *arguments, **options)


def planned(folder: Path, *arguments: str, **options) -> Counter[str]:
    """The jobs that Snakemake would run, by rule."""
    result = dry_run(folder, *arguments, **options)
    assert result.returncode == 0, result.stdout
    table = re.search(r"^Job stats:\njob +count\n-[- ]+\n(.*?)\n\n", result.stdout, re.MULTILINE | re.DOTALL)
    rows = [line.split() for line in table.group(1).splitlines()] if table else []
    return Counter({name: int(count) for name, count in rows if name not in ("total", "all", *EXPERIMENTS)})


def call(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Call a program of this environment in a folder, on two cores; gives exit status and output."""
    environment = snakemake_call(folder)[1]["env"] | {"CORES": "2"}
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def succeeds(folder: Path, *command: str) -> str:
    """What such a call writes; it has to succeed."""
    result = call(folder, *command)
    assert result.returncode == 0, result.stdout
    return result.stdout


def make_smallest(folder: Path) -> None:
    """Put the smallest configuration in place of the demo's, with the stages of DVC that follow from it."""
    shutil.copy(SMALLEST, folder / "config/demo.yaml")
    succeeds(folder, forks.python(), "workflow/stages.py")


def commit(folder: Path, message: str) -> None:
    """Commit everything to Git."""
    succeeds(folder, "git", "add", "--all")
    succeeds(folder, "git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", message)


def results_of(folder: Path) -> dict[str, bytes]:
    """Every result by its path, but those that hold measured seconds."""
    files = (path for path in (folder / "results").rglob("*") if path.is_file() and path.name[0] != ".")
    results = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    return {path: content for path, content in results.items() if not is_measured(path)}


def is_measured(path: str) -> bool:
    """Whether a result, or a folder of them, holds measured seconds."""
    return bool({"timing", "provenance"} & set(Path(path).parts))


def locked_hashes(folder: Path) -> dict[tuple[str, str], str]:
    """What DVC's lock of the demo says of each file and folder that a stage takes or makes."""
    stages = yaml.safe_load((folder / "demo/dvc.lock").read_text())["stages"]
    return {
        (name, entry["path"]): entry["md5"]
        for name, stage in stages.items()
        for kind in ("deps", "outs")
        for entry in stage[kind]
    }


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Path:
    """A clone of `origin` beside it in which DVC built the smallest demo, once for all workers. Change only copies."""
    together = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder, done = together / "finished" / "project", together / "finished" / "done"
    with FileLock(together / "finished.lock"):
        if not done.exists():
            shutil.rmtree(folder.parent, ignore_errors=True)  # of a worker that failed
            origin = copy_project(folder.parent / "origin", ROOT, *VERSIONING)
            make_smallest(origin)
            succeeds(origin, "git", "init", "--quiet")
            commit(origin, "The project with the smallest configuration in place of the demo's")
            succeeds(folder.parent, "git", "clone", "--quiet", str(origin), str(folder))
            succeeds(folder, "dvc", "repro", "demo/dvc.yaml")
            done.touch()
    return folder


@pytest.fixture
def changeable(finished, tmp_path) -> Path:
    """A copy of the finished project that a test may change."""
    return copy_project(tmp_path / "project", finished, "results", ".snakemake")
