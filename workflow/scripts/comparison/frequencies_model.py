"""Write label frequencies as a model file."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads, gpu=False)
    from multilabel.experiments.comparison import model

    i = snakemake.input
    model.save(snakemake.output[0], i.record, i.labels, i.scores)
