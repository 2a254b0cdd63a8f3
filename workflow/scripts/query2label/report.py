"""Write where labels looked: the table and the figures."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.query2label import report

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    stems = {name: Path(paths[0]).with_suffix("") for name, paths in o.items() if paths}
    if "attention" in stems:
        report.write_attention(i.inside, stems["attention"], dataset=p.dataset, names=p.looking)
    for examples, name in zip(i.examples, p.figures, strict=True):
        report.write_figure(examples, i.labels, i.images, stems[name], size=p.size, orient=p.orient)
