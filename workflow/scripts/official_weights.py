"""Fetch the published weights of a base network."""

import shutil
from pathlib import Path

from multilabel import logs
from multilabel.datasets import download, published
from multilabel.files import complete_or_absent

with logs.logged(snakemake.log[0]):
    p, path = snakemake.params, Path(snakemake.output[0])
    file = published.SOURCES.get(path.name)
    if file is None:
        from multilabel.networks import official  # of Keras, which takes seconds to import

        file = official.remote_file(**p.base, top=p.top)
    copy = Path(p.downloads["folder"], file.name)
    download.fetch(file, copy, mirrors=p.downloads["mirrors"], attempts=p.downloads["attempts"])
    with complete_or_absent(path) as temporary:
        shutil.copyfile(copy, temporary)
