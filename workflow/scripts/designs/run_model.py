"""Write a run as one self-describing file, with thresholds from validation images."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads, gpu=False)
    from multilabel.experiments.designs import model

    i = snakemake.input
    model.save(
        snakemake.output[0],
        snakemake.wildcards.design,
        i.weights,
        record=i.record,
        validation_scores=i.scores,
        validation_labels=i.labels,
        sizes=snakemake.params.sizes,
    )
