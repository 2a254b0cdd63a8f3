"""Write Table 2: the final model beside published results."""

from pathlib import Path

from multilabel import files, logs
from multilabel.experiments.transfer import tables
from multilabel.report.tables import write_table

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    run = files.read_json(snakemake.input.final)["run"]
    results = Path(snakemake.input.final).parent
    frame, _ = tables.table2_of_run(results, run, test=p.test, k=p.k, dataset=p.dataset, n_random=p.ties, seed=p.seed)
    caption = tables.table2_caption(p.dataset, p.test, k=p.k, model_from="val", tau_from="val")
    write_table(frame, Path(snakemake.output[0]).with_suffix(""), caption, digits=1, group="group")
