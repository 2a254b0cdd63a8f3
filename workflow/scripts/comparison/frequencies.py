"""Write label frequencies as the scores of every image."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.comparison import frequencies

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    frequencies.write(i.train, dict(zip(p.splits, i.labels, strict=True)), Path(snakemake.output.record).parents[2])
