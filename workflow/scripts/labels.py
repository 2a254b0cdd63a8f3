"""Write the label matrix of each split."""

import os
from pathlib import Path

from multilabel import logs
from multilabel.datasets import labels, overlap, read_labels

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    folders = i.images or [None, None]
    splits = labels.splits(
        read_labels(p.kind, i.train, folders[0], **p.reading),
        read_labels(p.kind, i.test, folders[-1], **p.reading) if i.test else None,
        held_out_test=p.test,
        held_out_validation=p.validation,
        names_differ=p.kind != "csv" or folders[0] == folders[-1],
    )
    if p.folders and all(map(os.path.isdir, p.folders)):
        places = [p.folders[0]] * (len(splits) - 1) + [p.folders[-1]]
        overlap.check(
            {
                Path(output).stem: [Path(place, name) for name in matrix.file_name]
                for output, place, matrix in zip(snakemake.output, places, splits, strict=True)
            }
        )
    for matrix, path in zip(splits, snakemake.output, strict=True):
        matrix.save(path)
