"""Make a model file of a released checkpoint."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=False)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.experiments.query2label import importing

    i = snakemake.input
    importing.import_model(i.checkpoint, i.config, snakemake.output[0], classes=LabelMatrix.load(i.labels).classes)
