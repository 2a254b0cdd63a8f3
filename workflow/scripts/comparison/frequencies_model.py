"""Write label frequencies as a model file."""

from multilabel import logs
from multilabel.experiments.comparison import model

with logs.logged(snakemake.log[0]):
    i = snakemake.input
    model.save(snakemake.output[0], i.record, i.labels, i.scores)
