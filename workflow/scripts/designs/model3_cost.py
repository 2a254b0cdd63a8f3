"""Write what the scores of Model 3 cost."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=False)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.experiments.designs import networks, prediction

    i, p = snakemake.input, snakemake.params
    classes = len(LabelMatrix.load(i.labels).classes)
    prediction.measure_run(i.weights, classes, networks.Sizes(**p.sizes), snakemake.output[0])
