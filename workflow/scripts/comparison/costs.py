"""Write the table and the figure of quality against cost."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.comparison import report

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    report.costs(p.methods, Path(p.folder).parent, p.folder, i.labels, dataset=p.dataset, threads=p.threads)
