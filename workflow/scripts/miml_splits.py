"""Train and test linear classifiers on some of the random splits."""

from multilabel import files, logs, miml

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    tables = miml.evaluate(miml.load(i.features, i.labels), p.numbers, **p.settings)
    for frame, path in zip(tables, snakemake.output, strict=True):
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False)
