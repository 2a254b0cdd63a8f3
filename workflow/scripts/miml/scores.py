"""Write the metrics of all splits, and gather their chosen features."""

import pandas as pd

from multilabel import files, logs
from multilabel.experiments.miml import measures

with logs.logged(snakemake.log[0]):
    i, o = snakemake.input, snakemake.output
    for frame, path in [
        (measures.measured(i.decisions, i.labels), o.scores),
        (pd.concat([pd.read_csv(path) for path in i.chosen]), o.chosen),
    ]:
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False)
