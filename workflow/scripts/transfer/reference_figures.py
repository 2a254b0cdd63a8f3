"""Draw Figs. 5 and 6 from the author's logs alone."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.transfer import figures, reference

with logs.logged(snakemake.log[0]):
    figures.save_panels(snakemake.params.figures, reference.load(), Path(snakemake.output[0]).parent)
