"""Write the scores of a top model on a split."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=False)
    from multilabel import predictions, top_models
    from multilabel.labels import LabelMatrix

    classes = LabelMatrix.load(snakemake.input.labels).classes
    image_id, scores = top_models.predict(snakemake.input.weights, snakemake.input.features, len(classes))
    predictions.save(snakemake.output[0], image_id, scores)
