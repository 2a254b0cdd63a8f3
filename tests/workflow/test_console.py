"""What a user sees while the workflow runs: a line for each job, how many are done, and what failed, and why."""

import re

from .conftest import dry_run, run_snakemake

RESULTS = "results/shapes_smallest"
FIGURE = f"{RESULTS}/figures/fig2.pdf"
TABLE = f"{RESULTS}/tables/table2.csv"


def test_a_job_is_a_line(changeable):
    (changeable / FIGURE).unlink()
    result = run_snakemake(changeable, "--", FIGURE)
    assert result.returncode == 0, result.stdout
    told = [line for line in result.stdout.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert [line[9:] for line in told] == [
        "[0 of 1 done] Counting labels: the dataset's table and Figs. 2 and 3",
        "[1 of 1 done]",
    ]
    assert len(result.stdout.splitlines()) < 12


def test_snakemakes_own_account_is_in_its_log(changeable):
    (changeable / FIGURE).unlink()
    run_snakemake(changeable, "--", FIGURE)
    log = max((changeable / ".snakemake/log").glob("*.log")).read_text()
    assert "Finished jobid" in log
    assert f"Missing output files: {FIGURE}" in log or "Reason: " in log


def test_a_dry_run_says_why(changeable):
    (changeable / FIGURE).unlink()
    assert f"Missing output files: {FIGURE}" in dry_run(changeable, "--", FIGURE).stdout


def test_a_job_that_met_wrong_data_is_told_by_the_message_alone(changeable):
    scores = next((changeable / RESULTS / "predictions").glob("*_hwrszf/val.h5"))
    scores.write_bytes(b"no HDF5")
    run = scores.parent.name
    result = run_snakemake(changeable, "--", TABLE)
    assert result.returncode != 0
    assert result.stdout.count(f"FAILED: Metrics of {run}") == 2  # where it failed, and at the end
    assert re.search(rf"\n +Error: {scores.relative_to(changeable)}: .+\n", result.stdout)
    assert "Traceback" not in result.stdout
    assert "CalledProcessError" not in result.stdout
    assert "0 of 3 jobs are done, 1 failed, 2 wait for those:" in result.stdout
    log = (changeable / f"logs/shapes_smallest/metrics/{run}.log").read_text()
    assert log.startswith("Error: ")
    assert log.count("\n") == 1


def test_a_mistake_in_the_code_keeps_its_traceback(changeable):
    script = changeable / "workflow/scripts/transfer/table2.py"
    script.write_text(script.read_text().replace("    p = snakemake.params\n", "    p = snakemake.params.nothing\n"))
    result = run_snakemake(changeable, "--forcerun", "table2", "--", TABLE)
    assert result.returncode != 0
    assert "Traceback (most recent call last)" in result.stdout
    assert "AttributeError" in result.stdout
