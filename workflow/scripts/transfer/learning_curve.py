"""Train a top model on parts of the training images, with all of their labels and with one."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import files
    from multilabel.experiments.transfer import learning_curve

    i, p = snakemake.input, snakemake.params
    output = Path(snakemake.output[0])
    train, val, test = zip(i.features, i.labels, strict=True)
    curve = learning_curve.train(
        p.run,
        p.sizes,
        train=train,
        val=val,
        test=test,
        folder=output.with_name(".learning_curve"),
        settings=p.settings,
        record={"threads": p.threads, "code": p.code},
        k=p.k,
    )
    with files.complete_or_absent(output) as temporary:
        curve.to_csv(temporary, index=False)
