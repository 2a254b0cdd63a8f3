"""Draw and tabulate metrics against the number of training images."""

from pathlib import Path

import pandas as pd

from multilabel import logs
from multilabel.experiments.transfer import figures
from multilabel.report import tables
from multilabel.report.figures import save

with logs.logged(snakemake.log[0]):
    p, curve = snakemake.params, pd.read_csv(snakemake.input[0])
    tables.write_table(
        curve,
        Path(snakemake.output.table[0]).with_suffix(""),
        f"{p.run} trained on parts of the training images, with all of their labels and with one of each, on the "
        f"{p.test} split of {p.dataset}.",
        digits={"validation loss": 4},
        group="labels",
    )
    save(figures.learning_curve(curve), Path(snakemake.output.figure[0]).with_suffix(""))
