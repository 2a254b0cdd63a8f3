"""Train a job's top models."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=bool(snakemake.resources.gpu))
    from multilabel import top_models

    p = snakemake.params
    top_models.train(
        p.names,
        features=snakemake.input.features,
        labels=snakemake.input.labels,
        folder=p.folder,
        settings=p.settings,
        record={"configuration": p.configuration, "threads": p.threads, "code": p.code},
    )
