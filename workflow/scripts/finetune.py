"""Fine-tune one run."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import finetune

    p = snakemake.params
    finetune.train(
        snakemake.wildcards.run,
        labels=snakemake.input.labels,
        images=snakemake.input.images,
        top_model_weights=snakemake.input.top_model,
        base={**p.base, "weights": snakemake.input.weights or None},
        statistics=snakemake.input.statistics or None,
        folder=Path(snakemake.output.weights).parent,
        settings=p.settings,
        reading=p.reading,
        record={"configuration": p.configuration, "threads": p.threads, "code": p.code},
    )
