"""Write the label matrix of each split."""

from multilabel import logs
from multilabel.datasets import labels, read_labels

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    folders = i.images or [None, None]
    splits = labels.splits(
        read_labels(p.kind, i.train, folders[0], **p.reading),
        read_labels(p.kind, i.test, folders[-1], **p.reading) if i.test else None,
        held_out_test=p.test,
        held_out_validation=p.validation,
    )
    for matrix, path in zip(splits, snakemake.output, strict=True):
        matrix.save(path)
