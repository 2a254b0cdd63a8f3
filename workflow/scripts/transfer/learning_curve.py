"""Train a top model on parts of the training images, with all of their labels and with one."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.experiments.transfer import learning_curve

    i, p = snakemake.input, snakemake.params
    train, val, test = zip(i.features, i.labels, strict=True)
    learning_curve.train(
        p.run,
        p.sizes,
        train=train,
        val=val,
        test=test,
        output=snakemake.output[0],
        folder=Path(snakemake.output[0]).with_name(".learning_curve"),
        settings=p.settings,
        record={"threads": p.threads, "code": p.code},
    )
