"""Write the scores of a fine-tuned model on the images of a split, as they are or perturbed."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import finetune, predictions

    p = snakemake.params
    image_id, scores = finetune.predict(
        snakemake.input.weights,
        labels=snakemake.input.labels,
        images=snakemake.input.images,
        base={**p.base, "weights": None},
        statistics=snakemake.input.statistics or None,
        reading=p.reading,
        perturb=p.seed,
    )
    predictions.save(snakemake.output[0], image_id, scores)
