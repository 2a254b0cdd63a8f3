"""Write the tables and figures of the experiment."""

from multilabel import logs
from multilabel.experiments.single_positive import report

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    report.write_tables(i, o, dataset=p.dataset, observed=p.observed, departures=p.departures, drop_last=p.drop_last)
    report.write_figures(i, o, observed=p.observed, examples=p.examples, size=p.size)
