"""Fetch the published weights of a base network."""

import shutil
from pathlib import Path

from multilabel import logs
from multilabel.datasets import download
from multilabel.datasets.published import SOURCES
from multilabel.files import complete_or_absent

with logs.logged(snakemake.log[0]):
    downloads, path = snakemake.params.downloads, Path(snakemake.output[0])
    copy = Path(downloads["folder"], path.name)
    download.fetch(SOURCES[path.name], copy, mirrors=downloads["mirrors"], attempts=downloads["attempts"])
    with complete_or_absent(path) as temporary:
        shutil.copyfile(copy, temporary)
