"""Write the metrics of the base network's own classifier beside those of multi-label models."""

from pathlib import Path

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, predictions
from multilabel.experiments.transfer import tables
from multilabel.report.tables import write_table

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    classes = LabelMatrix.load(i.labels).classes
    columns = [classes.index(name) for name in files.read_json(i.counterparts)]
    rows = []
    for kind, paths in (("one label", [i.single_label]), ("top model", i.top_models), ("fine-tuned", i.finetuned)):
        for path in paths:
            found = predictions.load_with_truth(path, i.labels)
            truth, scores = found.truth[:, columns], found.scores[:, columns]
            kept = truth.any(axis=1)
            name = "the base network's classifier" if kind == "one label" else Path(path).parent.name
            rows.append((kind, name, all_metrics.evaluate(truth[kept], scores[kept], k=p.k)))
    write_table(
        tables.single_label_table(rows),
        Path(snakemake.output[0]).with_suffix(""),
        f"A network trained on one label per image beside multi-label models, on the {p.test} split of {p.dataset}: "
        f"the {len(columns)} of {len(classes)} classes that it knows, on images that have one of them.",
        group="trained on",
    )
