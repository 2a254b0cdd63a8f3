"""Write Table I of paper 001 beside ours."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.query2label import report

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    report.write_table1(
        dict(zip(p.rows, snakemake.input, strict=True)),
        Path(snakemake.output[0]).with_suffix(""),
        dataset=p.dataset,
        departures=p.departures,
    )
