"""Train and test linear classifiers on some of the random splits."""

from multilabel import files, logs
from multilabel.experiments.miml import protocol

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    tables = protocol.evaluate(protocol.load(i.features, i.labels), p.numbers, **p.settings)
    for frame, path in zip(tables, snakemake.output, strict=True):
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False)
