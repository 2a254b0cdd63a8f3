"""A copy of the project in which the smallest demo was run once; tests change copies of it."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("Snakefile", "config", "workflow", "envs", "profiles")
Snakemake = Callable[..., subprocess.CompletedProcess[str]]


def copy_project(target: Path, source: Path = ROOT, *more: str) -> Path:
    """Copy what the workflow needs, keeping times, and folders named in `more`."""
    for name in (*CODE, *more):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    return target


def run_snakemake(folder: Path, *arguments: str, config: str | Path = ROOT / "tests/workflow/smallest.yaml"):
    """Call Snakemake as a user would; gives exit status and output."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(config), *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def planned(folder: Path, *arguments: str, **options) -> Counter[str]:
    """The jobs that Snakemake would run, by rule."""
    result = run_snakemake(folder, "--dry-run", *arguments, **options)
    assert result.returncode == 0, result.stdout
    table = re.search(r"^Job stats:\njob +count\n-[- ]+\n(.*?)\n\n", result.stdout, re.MULTILINE | re.DOTALL)
    rows = [line.split() for line in table.group(1).splitlines()] if table else []
    return Counter({name: int(count) for name, count in rows if name not in ("total", "all", "paper")})


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The project with the results of the smallest demo. Do not change it: see `changeable`."""
    folder = copy_project(tmp_path_factory.mktemp("finished") / "project")
    result = run_snakemake(folder)
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture
def changeable(finished, tmp_path) -> Path:
    """A copy of the finished project that a test may change."""
    return copy_project(tmp_path / "project", finished, "results", ".snakemake")
