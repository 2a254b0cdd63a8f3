"""Look at the labels that were hidden: how their scores develop, and how well they are recovered."""

from multilabel import files, logs
from multilabel.experiments.single_positive import hidden

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    tables = hidden.look(
        i.features,
        i.labels,
        i.seen[0],
        dict(zip(p.studies, i.epochs, strict=True)),
        dict(zip(p.studies, map(files.read_json, i.searches), strict=True)),
        i.estimates,
    )
    for frame, path in zip(tables, (o.by_epoch, o.recovery), strict=True):
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False)
