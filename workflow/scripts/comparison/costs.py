"""Write the table and the figure of quality against cost."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.comparison import report

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    folder = Path(i.chosen).parent
    report.costs(p.methods, folder.parent, folder, i.labels, dataset=p.dataset, threads=p.threads)
