"""Write the scores of an imported model on the splits that it is judged by."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.evaluation import predictions
    from multilabel.experiments.query2label import prediction
    from multilabel.images import decode

    i, p = snakemake.input, snakemake.params
    for labels, images, output in zip(i.labels, i.images, snakemake.output, strict=True):
        found = prediction.scores(
            i.model,
            LabelMatrix.load(labels),
            images,
            reading={**p.reading, **decode.reading(snakemake.config)},
            batch_size=p.batch_size,
        )
        predictions.save(output, *found)
