"""Write the page of all test images with their true and predicted labels."""

from pathlib import Path

from multilabel import export, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.report import gallery

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    model, labels = export.load(i.model), LabelMatrix.load(i.labels)
    path = predictions.path_of(Path(i.final).parent, model.run, p.test)
    image_id, scores = predictions.load(path)
    shown = labels.subset(labels.rows_of(image_id, name=i.labels, other=str(path)))
    gallery.write(
        snakemake.output[0],
        f"{p.dataset}: {len(shown):,} test images",
        f"Run {model.run}. A label is predicted where its score reaches the threshold of its class, found on "
        "validation images. Bold labels are true.",
        labels=shown,
        images=i.images,
        thresholds=model.thresholds,
        scores=scores,
        workers=snakemake.threads,
    )
