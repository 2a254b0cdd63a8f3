"""Fine-tune one run."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    print("the orientation in EXIF is", "applied" if snakemake.params.reading["orient"] else "ignored")
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.experiments.transfer import finetune
    from multilabel.images import decode

    p, folder = snakemake.params, Path(snakemake.output.weights).parent
    finetune.train(
        snakemake.wildcards.run,
        labels=snakemake.input.labels,
        images=snakemake.input.images,
        image_lists=snakemake.input.image_lists,
        top_model_weights=snakemake.input.top_model,
        base={**p.base, "weights": snakemake.input.weights or None},
        statistics=snakemake.input.statistics or None,
        folder=folder,
        settings=p.settings,
        reading={**p.reading, **decode.reading(snakemake.config)},
        record={"configuration": p.configuration, "threads": p.threads, "code": p.code},
        timing=snakemake.output.timing,
        # Read past the rule's parameters: to want these logs, or not, is no reason to train again.
        tensorboard=folder.parents[1] / "tensorboard" / folder.name if snakemake.config["tensorboard"] else None,
    )
