"""Choose the final model and write it down."""

from multilabel import files, logs
from multilabel.evaluation import predictions

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    files.write_json(
        snakemake.output[0], predictions.choose(dict(zip(p.runs, snakemake.input, strict=True)), p.criterion)
    )
