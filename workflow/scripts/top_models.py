"""Train a job's top models."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import top_models

    p = snakemake.params
    top_models.train(
        p.features,
        labels=snakemake.input.labels,
        folder=Path(snakemake.output.weights[0]).parents[1],
        settings=p.settings,
        record={"configuration": p.configuration, "threads": p.threads, "code": p.code},
    )
