"""Fetch a published archive and unpack what is wanted of it."""

from pathlib import Path

from multilabel import logs
from multilabel.datasets import download

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    archive = Path(p.downloads["folder"], p.archive)
    download.fetch(
        download.SOURCES[p.archive], archive, mirrors=p.downloads["mirrors"], attempts=p.downloads["attempts"]
    )
    target = snakemake.output[0].removesuffix(p.members[0])
    download.extract(archive, target, members=lambda member: member.startswith(tuple(p.members)))
