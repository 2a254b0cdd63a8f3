"""Judge all methods on the same images; write the tables and figures that say how good they are."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.comparison import report

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    folder = Path(snakemake.output.chosen).parent
    report.quality(
        p.methods,
        p.left_out,
        folder.parent,
        folder,
        dict(zip(("train", "val", "test"), i.labels, strict=True)),
        dataset=p.dataset,
        evaluation=p.evaluation,
    )
