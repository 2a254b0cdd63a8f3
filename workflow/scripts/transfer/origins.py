"""Write the table of where each run comes from."""

from pathlib import Path

from multilabel import logs
from multilabel.report import origins, tables

with logs.logged(snakemake.log[0]):
    tables.write_table(
        origins.table(snakemake.input.records, snakemake.input.timings),
        Path(snakemake.output[0]).with_suffix(""),
        "Where each run comes from, with the first digits of the sha256 of what went in. run.json has all settings.",
        digits=1,
        group="stage",
    )
