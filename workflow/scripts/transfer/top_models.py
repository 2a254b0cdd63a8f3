"""Train a job's top models."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.experiments.transfer import top_models

    p, folder = snakemake.params, Path(snakemake.output.weights[0]).parents[1]
    names = [Path(weights).parent.name for weights in snakemake.output.weights]
    top_models.train(
        {name: top_models.files_of(p.features, name) for name in names},
        labels=snakemake.input.labels,
        folder=folder,
        settings=p.settings,
        record={"configuration": p.configuration, "threads": p.threads, "code": p.code},
        timing=Path(snakemake.output.timing[0]).parent,
        # Read past the rule's parameters: to want these logs, or not, is no reason to train again.
        tensorboard=folder.with_name("tensorboard") if snakemake.config["tensorboard"] else None,
    )
