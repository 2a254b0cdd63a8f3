"""Write what Query2Label gains over other heads on the same base, and what each costs."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.query2label import comparison

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    comparison.write(
        p.folder,
        p.runs,
        dict(zip(p.evaluated, i.labels, strict=True)),
        i.cost,
        Path(snakemake.output[0]).with_suffix(""),
        titles=p.titles,
        test=p.evaluated[-1],
        evaluation=p.evaluation,
        unlabelled=p.unlabelled,
        dataset=p.dataset,
    )
