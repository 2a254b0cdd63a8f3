"""Write the scores of a top model on the splits it is judged by."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=False)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.evaluation import predictions
    from multilabel.experiments.transfer import top_models

    i = snakemake.input
    found = top_models.predict(i.weights, i.features, len(LabelMatrix.load(i.labels[0]).classes))
    for output, (image_id, scores) in zip(snakemake.output, found, strict=True):
        predictions.save(output, image_id, scores)
