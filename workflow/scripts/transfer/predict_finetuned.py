"""Write the scores of a fine-tuned model on the splits it is judged by, and on the last one's images perturbed."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.evaluation import predictions
    from multilabel.experiments.transfer import finetune
    from multilabel.images import decode

    i, p = snakemake.input, snakemake.params
    places = list(zip(i.labels, i.images, snakemake.output.scores, strict=True))
    for labels, images, output, seed in [
        *((*place, None) for place in places),
        (*places[-1][:2], snakemake.output.perturbed, p.seed),
    ]:
        image_id, scores = finetune.predict(
            i.weights,
            labels=labels,
            images=images,
            base={**p.base, "weights": None},
            statistics=i.statistics or None,
            reading={**p.reading, **decode.reading(snakemake.config)},
            perturb=seed,
        )
        predictions.save(output, image_id, scores)
