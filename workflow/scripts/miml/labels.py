"""Write the label matrix of a whole source."""

from multilabel import logs
from multilabel.datasets import read_labels

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    read_labels(p.kind, i.annotations, i.images, **p.reading).save(snakemake.output[0])
