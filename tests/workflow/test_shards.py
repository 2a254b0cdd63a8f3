"""Extraction of features by several jobs."""

import shutil

import yaml

from .conftest import ROOT, planned, run_snakemake

FEATURES = "results/shapes_smallest/features"
WANTED = [f"{FEATURES}/train_zmuvs_avg.h5"]


def in_shards(folder, count):
    """The smallest configuration with the images of a split shared out."""
    content = yaml.safe_load((ROOT / "tests/workflow/smallest.yaml").read_text())
    content["features"] = {"shards": count}
    path = folder / f"in_{count}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_one_shard_adds_no_job(changeable):
    shutil.rmtree(changeable / FEATURES)
    assert planned(changeable, *WANTED, config=in_shards(changeable, 1)) == {"features": 1}


def test_two_shards_give_the_bytes_of_one_and_leave_nothing_else(changeable, finished):
    shutil.rmtree(changeable / FEATURES)
    config = in_shards(changeable, 2)
    assert planned(changeable, *WANTED, config=config) == {"features": 2, "gather_features": 1}
    result = run_snakemake(changeable, "--", *WANTED, config=config)
    assert result.returncode == 0, result.stdout
    made = {path.name: path.read_bytes() for path in (changeable / FEATURES).iterdir()}
    expected = {
        path.name: path.read_bytes() for path in (finished / FEATURES).glob("train_*") if "zca" not in path.name
    }
    assert made == expected
