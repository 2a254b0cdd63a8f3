"""Write the scores of a fine-tuned model on the splits it is judged by, and on the last one's images perturbed."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.evaluation import predictions
    from multilabel.experiments.transfer import finetune
    from multilabel.images import decode

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    found = finetune.predict(
        i.weights,
        list(zip(i.labels, i.images, strict=True)),
        base={**p.base, "weights": None},
        statistics=i.statistics or None,
        reading={**p.reading, **decode.reading(snakemake.config)},
        perturb=p.seed,
    )
    for output, (image_id, scores) in zip([*o.scores, o.perturbed], found, strict=True):
        predictions.save(output, image_id, scores)
