"""The cluster's profile fits the rules; tests/slurm runs it on a real SLURM."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, SMALLEST, copy_project, planned, run_snakemake

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
# What trains or extracts, and is worth a job of its own.
LONG = re.compile(
    r"pretrain|((random_base|coverage|seeds_\d+)_)?(features|top_models_\w+)|learning_curve|independent|finetune"
)


@pytest.fixture(scope="module")
def spread(tmp_path_factory) -> tuple[Path, Path]:
    """The project, and the smallest demo's configuration with extraction and grid spread out."""
    folder = copy_project(tmp_path_factory.mktemp("profile") / "project")
    content = yaml.safe_load(SMALLEST.read_text()) | {"gpu": True, "features": {"shards": 3}}
    content["grid"]["runs_per_job"] = 1
    (folder / "spread.yaml").write_text(yaml.safe_dump(content))
    return folder, folder / "spread.yaml"


@pytest.fixture(scope="module")
def jobs(spread) -> Counter[str]:
    """The jobs that the profile is asked for."""
    folder, config = spread
    return planned(folder, "--profile", "profiles/slurm", config=config)


def test_every_small_job_is_in_a_group(jobs):
    assert [name for name in jobs if name not in PROFILE["groups"] and not LONG.fullmatch(name)] == []


def test_what_trains_or_extracts_is_in_no_group():
    assert [name for name in PROFILE["groups"] if LONG.fullmatch(name)] == []


def test_extraction_and_the_grid_are_spread_over_nodes(jobs):
    assert jobs["features"] == 3 * 3
    assert sum(name.startswith("top_models_") for name in jobs) == 6


def test_the_profile_names_rules_that_there_are(spread):
    folder, config = spread
    content = yaml.safe_load(config.read_text())
    content["dataset"]["validation"]["fraction"] = 0.0  # some rules are for datasets without validation images
    (folder / "flattering.yaml").write_text(yaml.safe_dump(content))
    found = [run_snakemake(folder, "--list-rules", config=path).stdout for path in (config, "flattering.yaml")]
    assert set(PROFILE["groups"]) <= set(" ".join(found).split())


def test_every_group_says_how_many_jobs_may_be_together():
    assert set(PROFILE["group-components"]) == set(PROFILE["groups"].values())
