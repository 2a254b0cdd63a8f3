"""Extraction of features by several jobs."""

import shutil

import yaml

from .conftest import ROOT, planned, run_snakemake

FEATURES = "results/shapes_smallest/features"
WANTED = [f"{FEATURES}/train_zmuvs_avg.h5"]


def in_shards(folder, count):
    """The smallest configuration, several batches long, with the images of a split shared out."""
    content = yaml.safe_load((ROOT / "tests/workflow/smallest.yaml").read_text())
    content["features"] = {"shards": count, "batch_size": 8}
    path = folder / f"in_{count}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_one_shard_adds_no_job(changeable):
    shutil.rmtree(changeable / FEATURES)
    assert planned(changeable, *WANTED, config=in_shards(changeable, 1)) == {"features": 1}


def test_three_shards_give_the_bytes_of_one_and_leave_nothing_else(changeable):
    found = []
    for count in (1, 3):
        shutil.rmtree(changeable / FEATURES)
        if count == 3:
            expected = {"features": 3, "gather_features": 1}
            assert planned(changeable, *WANTED, config=in_shards(changeable, count)) == expected
        result = run_snakemake(changeable, "--", *WANTED, config=in_shards(changeable, count))
        assert result.returncode == 0, result.stdout
        found.append({path.name: path.read_bytes() for path in (changeable / FEATURES).iterdir()})
    assert found[0] == found[1]
