"""Write the dataset's table and draw Figs. 2 and 3."""

from pathlib import Path

from multilabel import logs
from multilabel.datasets import statistics
from multilabel.datasets.labels import LabelMatrix
from multilabel.report import figures, tables

with logs.logged(snakemake.log[0]):
    o, p = snakemake.output, snakemake.params
    matrices = {split: LabelMatrix.load(path) for split, path in zip(p.splits, snakemake.input, strict=True)}
    caption = f"The images and labels of {p.dataset}."
    tables.write_table(statistics.table(matrices), Path(o.table[0]).with_suffix(""), caption)
    figures.save(figures.images_per_class(statistics.images_per_class(matrices)), Path(o.fig2[0]).with_suffix(""))
    figures.save(figures.labels_per_image(statistics.labels_per_image(matrices)), Path(o.fig3[0]).with_suffix(""))
