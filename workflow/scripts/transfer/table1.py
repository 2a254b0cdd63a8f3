"""Write Table 1: the hyper-parameters and their variants."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.transfer import runs, tables
from multilabel.report.tables import write_table

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    frame = tables.table1([runs.parse(name) for name in p.top_models], [runs.parse(name) for name in p.finetuned])
    write_table(frame, Path(snakemake.output[0]).with_suffix(""), "Hyper-parameters of both stages.")
