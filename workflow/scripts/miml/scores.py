"""Gather the metrics and the chosen features of all splits."""

import pandas as pd

from multilabel import files, logs

with logs.logged(snakemake.log[0]):
    for name in ("scores", "chosen"):
        together = pd.concat([pd.read_csv(path) for path in snakemake.input[name]])
        with files.complete_or_absent(snakemake.output[name]) as temporary:
            together.to_csv(temporary, index=False)
