"""Write the comparison, and where labels looked: the table and the figures."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.query2label import report

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    stems = {name: Path(paths[0]).with_suffix("") for name, paths in o.items() if paths}
    if "comparison" in stems:
        report.write_comparison(
            p.folder,
            p.runs,
            dict(zip(p.evaluated, i.labels, strict=True)),
            i.cost,
            stems["comparison"],
            titles=p.titles,
            test=p.evaluated[-1],
            evaluation=p.evaluation,
            dataset=p.dataset,
        )
    if "attention" in stems:
        report.write_attention(i.inside, stems["attention"], dataset=p.dataset, names=p.looking)
    for examples, name in zip(i.examples, p.figures, strict=True):
        report.write_figure(examples, i.labels[-1], i.images, stems[name], size=p.size, orient=p.orient)
