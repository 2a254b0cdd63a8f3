"""Write where labels looked: over example images, and how much of it falls on their own objects."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    import numpy as np

    from multilabel.datasets.labels import LabelMatrix
    from multilabel.datasets.masks import Masks
    from multilabel.evaluation import predictions
    from multilabel.experiments.query2label import attention, gallery, looks
    from multilabel.files import complete_or_absent
    from multilabel.images import decode
    from multilabel.report import examples

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    labels = LabelMatrix.load(i.labels)
    options = {"reading": {**p.reading, **decode.reading(snakemake.config)}, "batch_size": p.batch_size}
    test = predictions.load_with_truth(i.scores, i.labels)
    chosen = test.image_id[examples.rows_of(test, p.examples)]
    looks.save(o.examples, attention.look(i.model, attention.rows_in_order(labels, chosen), i.images, **options))
    watched = gallery.Watched()
    if o.get("inside"):
        masks = Masks(i.annotations, crowds=p.crowds)
        found = attention.inside(watched.through(attention.look(i.model, labels, i.images, **options)), labels, masks)
        with complete_or_absent(o.inside[0]) as temporary:
            found.to_csv(temporary, index=False)
    else:
        first = labels.subset(np.arange(min(len(labels), gallery.MOST)))
        for _ in watched.through(attention.look(i.model, first, i.images, **options)):
            pass
    gallery.write(o.gallery, watched, i.model, i.labels, i.images, p.dataset)
