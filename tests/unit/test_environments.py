"""The places that name versions agree: pyproject.toml, the locks, and the conda environments."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(name: str) -> dict[str, str]:
    """Versions by package name; a package that is locked twice has both, so that it equals neither."""
    versions: dict[str, list[str]] = {}
    for package, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), []).append(version)
    return {package: " and ".join(found) for package, found in versions.items()}


def pinned(name: str) -> dict[str, str]:
    """Versions by package name that a conda environment pins for pip."""
    environment = yaml.safe_load((ROOT / "envs" / name).read_text())
    (packages,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    requirements = [Requirement(package) for package in packages]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


def imported_by_the_library() -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in project()["dependencies"]}


def test_the_cpu_environment_has_the_locks_versions():
    lock = locked("requirements.lock")
    assert pinned("cpu.yaml") == {package: lock[package] for package in imported_by_the_library()}


def test_the_gpu_environment_has_the_locks_versions():
    lock, gpu = locked("requirements.lock"), locked("requirements-gpu.lock")
    assert pinned("gpu.yaml") == {package: lock[package] for package in imported_by_the_library()} | gpu


def test_rules_have_the_environment_with_cuda_where_they_ask_for_a_gpu():
    texts = [path.read_text() for path in (ROOT / "workflow/rules").rglob("*.smk")]
    rules = [rule for text in texts for rule in re.split(r"^ *rule\b", text, flags=re.MULTILINE) if "script:" in rule]
    assert len(rules) > 20
    assert [rule for rule in rules if ("envs/gpu.yaml" in rule) != ("gpu=GPUS" in rule)] == []


def test_the_gpu_lock_adds_to_the_lock_and_changes_nothing():
    assert not locked("requirements.lock").keys() & locked("requirements-gpu.lock").keys()
    assert "--requirement requirements.lock" in (ROOT / "requirements-gpu.lock").read_text().splitlines()


@pytest.mark.parametrize("extra", [None, "workflow", "slurm", "dev", "gpu"])
def test_the_lock_satisfies_the_project(extra):
    lists = {None: project()["dependencies"]} | project()["optional-dependencies"]
    lock = locked("requirements.lock")
    unsatisfied = []
    for requirement in map(Requirement, lists[extra]):
        version = lock.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            unsatisfied.append(f"{requirement}, locked: {version}")
    assert not unsatisfied, "run make lock: " + "; ".join(unsatisfied)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-gpu.lock"])
def test_every_locked_package_has_a_hash(name):
    # A requirement and its hashes are one logical line, continued by backslashes.
    logical_lines = (ROOT / name).read_text().replace("\\\n", "").splitlines()
    assert [line for line in logical_lines if "==" in line and "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-gpu.lock"])
def test_the_lock_names_no_package_index(name):
    assert "://" not in (ROOT / name).read_text()
