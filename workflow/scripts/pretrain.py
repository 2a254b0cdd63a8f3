"""Train the demo's base network on single objects."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.networks import pretraining

    p = snakemake.params
    pretraining.train(
        snakemake.input[0],
        *snakemake.output,
        base=p.base,
        epochs=p.epochs,
        batch_size=p.batch_size,
        learning_rate=p.learning_rate,
        seed=p.seed,
    )
