"""Write the scores of a top model on the splits it is judged by."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=False)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.evaluation import predictions
    from multilabel.experiments.transfer import top_models

    i = snakemake.input
    for labels, features, output in zip(i.labels, i.features, snakemake.output, strict=True):
        classes = LabelMatrix.load(labels).classes
        image_id, scores = top_models.predict(i.weights, features, len(classes))
        predictions.save(output, image_id, scores)
