"""One-vs-rest logistic regression on the features that the top models take, C chosen on validation images."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.transfer import independent

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    independent.train(
        p.run,
        dict(zip(p.splits, i.features, strict=True)),
        {"train": i.labels, "val": i.validation},
        Path(i.labels).parents[1],
        sizes=p.sizes,
        seed=p.seed,
        record=p.record,
        threads=snakemake.threads,
    )
