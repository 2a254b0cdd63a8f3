"""Train the forum's outputs on bottleneck features, and write their scores."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import provenance
    from multilabel.experiments.designs import forum

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    train, validation, test = (forum.load(i.features, labels) for labels in i.labels)
    for output in p.outputs:
        forum.train(
            output,
            p.seeds,
            train=train,
            validation=validation,
            evaluated={"val": validation, "test": test},
            settings=p.settings,
            record={
                "configuration": p.configuration,
                "inputs": provenance.digests([*i.labels, *i.features]),
                "code": p.code,
            },
            folder=Path(o.records[0]).parents[1],
            scores=Path(o.scores[0]).parents[1],
        )
