"""Measure what one network of each kind costs."""

from multilabel import devices, files, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.experiments.query2label import cost

    found = cost.measured(snakemake.input, batch_size=snakemake.params.batch_size)
    with files.complete_or_absent(snakemake.output[0]) as temporary:
        found.to_csv(temporary, index=False)
