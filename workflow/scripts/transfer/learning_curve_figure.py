"""Draw and tabulate metrics against the number of training images."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.transfer import figures, learning_curve_table
from multilabel.report import tables
from multilabel.report.figures import save

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    curve = learning_curve_table.table(i.scores, val=i.labels[0], test=i.labels[-1], k=p.k)
    tables.write_table(
        curve,
        Path(snakemake.output.table[0]).with_suffix(""),
        f"{p.run} trained on parts of the training images, with all of their labels and with one of each, on the "
        f"{p.test} split of {p.dataset}.",
        digits={"validation loss": 4},
        group="labels",
    )
    save(figures.learning_curve(curve), Path(snakemake.output.figure[0]).with_suffix(""))
