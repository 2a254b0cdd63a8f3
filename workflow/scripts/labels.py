"""Write the label matrix of each split."""

from multilabel import labels, logs
from multilabel.datasets import coco

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    splits = labels.splits(
        coco.read_labels(i.train, crowds=p.crowds),
        coco.read_labels(i.test, crowds=p.crowds) if i.test else None,
        held_out_test=p.test,
        held_out_validation=p.validation,
    )
    for matrix, path in zip(splits, snakemake.output, strict=True):
        matrix.save(path)
