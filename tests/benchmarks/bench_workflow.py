"""What Snakemake takes to find that the finished paper at full size has nothing to do.

Expected: at most 5 s. The files of the data and of the results are empty; Snakemake itself marks them as made.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from comparison import Row

ROOT = Path(__file__).parents[2]
SOURCES = ["train2017", "val2017", "annotations/instances_train2017.json", "annotations/instances_val2017.json"]


def rows(rounds: int = 3) -> Iterator[Row]:
    """The time of dry runs of the finished workflow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("Snakefile", "workflow", "config", "profiles", "envs"):
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
        for source in SOURCES:
            path = folder / "resources/coco_2017" / source
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch() if path.suffix else path.mkdir()
        outputs = [line.split("\t")[0] for line in snakemake(folder, "--summary").splitlines() if "\t" in line][1:]
        for output in outputs:
            path = folder / output
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        snakemake(folder, "--touch", "--forceall", "--cores", "1")
        taken = []
        for _ in range(rounds):
            started = time.perf_counter()
            assert "Nothing to be done" in snakemake(folder, "--dry-run")
            taken.append(time.perf_counter() - started)
    yield Row(f"snakemake -n, {len(outputs)} files made", "the 5 s it may take", taken, [5.0] * rounds, expected=1)


def snakemake(folder: Path, *arguments: str) -> str:
    """Call Snakemake; gives its output."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    result = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(result.stdout)
    return result.stdout
