"""Calls of Snakemake in processes that begin where it is imported already.

This module imports nothing of the library, which a call has to find where the workflow lies.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["snakemake.cli"])


def snakemake(arguments: list[str], *, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Call Snakemake in a folder; gives exit status and output."""
    with tempfile.NamedTemporaryFile("r") as output:
        process = FORKS.Process(target=_call, args=(arguments, cwd, env, output.name))
        process.start()
        process.join()
        return subprocess.CompletedProcess(["snakemake", *arguments], process.exitcode or 0, output.read())


def _call(arguments: list[str], folder: Path, environment: Mapping[str, str], output: str) -> None:
    from snakemake import cli

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *arguments]
    with Path(output).open("w") as file:
        for standard in (1, 2):
            os.dup2(file.fileno(), standard)
    cli.main(arguments)
