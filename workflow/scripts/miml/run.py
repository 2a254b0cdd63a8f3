"""Train logistic regression with one penalty on the images of train and on parts of them, and write its scores."""

from pathlib import Path

from multilabel import logs, provenance
from multilabel.experiments.miml import own_splits

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    own_splits.train(
        snakemake.wildcards.penalty,
        features=dict(zip(("train", "val", "test"), i.features, strict=True)),
        labels=i.labels,
        **p.settings,
        largest_gb=snakemake.config["miml"]["largest_gb"],  # changes no result, so it is no parameter
        record={
            "configuration": p.configuration,
            "inputs": provenance.digests([i.labels, *i.features]),
            "code": p.code,
        },
        folder=Path(o.record).parents[2],
        timing=o.timing,
    )
