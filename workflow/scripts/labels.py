"""Write the label matrix of each split."""

from multilabel import labels, logs
from multilabel.datasets import coco

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    splits = labels.splits(
        coco.read_labels(snakemake.input.train, crowds=p.crowds),
        coco.read_labels(snakemake.input.test, crowds=p.crowds) if snakemake.input.test else None,
        test=p.test,
        validation=p.validation,
    )
    for matrix, path in zip(splits, snakemake.output, strict=True):
        matrix.save(path)
