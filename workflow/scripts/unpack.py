"""Fetch published archives and unpack what is wanted of them."""

from pathlib import Path

from multilabel import logs
from multilabel.datasets import archives, download
from multilabel.datasets.published import SOURCES

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    target = snakemake.output[0].removesuffix(p.members[0])
    for name in p.archives:
        archive = Path(p.downloads["folder"], name)
        download.fetch(SOURCES[name], archive, mirrors=p.downloads["mirrors"], attempts=p.downloads["attempts"])
        archives.extract(archive, target, members=lambda member: member.startswith(tuple(p.members)))
