"""Hold out a part of the training images."""

from multilabel import logs
from multilabel.datasets.labels import LabelMatrix

with logs.logged(snakemake.log[0]):
    p, o = snakemake.params, snakemake.output
    for matrix, path in zip(
        LabelMatrix.load(snakemake.input[0]).held_out(p.fraction, p.seed), (o.train, o.val), strict=True
    ):
        matrix.save(path)
