"""Write where labels looked: over example images, and how much of it falls on their own objects."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.datasets.masks import Masks
    from multilabel.evaluation import predictions
    from multilabel.experiments.query2label import attention, looks
    from multilabel.files import complete_or_absent
    from multilabel.images import decode
    from multilabel.report import examples

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    labels = LabelMatrix.load(i.labels)
    options = {"reading": {**p.reading, **decode.reading(snakemake.config)}, "batch_size": p.batch_size}
    test = predictions.load_with_truth(i.scores, i.labels)
    chosen = test.image_id[examples.rows_of(test, p.examples)]
    looks.save(o.examples, attention.look(i.model, attention.rows_in_order(labels, chosen), i.images, **options))
    if o.get("inside"):
        masks = Masks(i.annotations, crowds=p.crowds)
        found = attention.inside(attention.look(i.model, labels, i.images, **options), labels, masks)
        with complete_or_absent(o.inside[0]) as temporary:
            found.to_csv(temporary, index=False)
