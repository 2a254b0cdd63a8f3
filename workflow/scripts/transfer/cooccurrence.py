"""Write and draw how well predicted labels occur together as true ones do."""

from pathlib import Path

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import all_metrics, cooccurrence, predictions
from multilabel.report import figures, tables

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    final = files.read_json(i.final)["run"]
    results = Path(i.final).parent
    predicted = {}
    for run in dict.fromkeys([final, *p.beside]):
        test, validation = predictions.of_run(results, run, p.test), predictions.of_run(results, run, "val")
        chosen_on = (validation.truth, validation.scores)
        decided = all_metrics.decided(test.truth, test.scores, k=p.k, validation=chosen_on)
        predicted[run] = decided["cardinality_threshold_per_class"]
    labels = LabelMatrix.load(i.labels)
    tables.write_table(
        cooccurrence.table(test.truth, predicted, labels.labels, p.support),
        Path(o.table[0]).with_suffix(""),
        f"Conditional frequencies of label pairs on the {p.test} split of {p.dataset}: mean absolute difference from "
        "the true ones and correlation with them, over ordered pairs whose first label at least "
        f"{p.support} images have. Each label is predicted for as many validation images as have it. Independent: as "
        "many of each label, but without regard to the others.",
    )
    shown = cooccurrence.most_frequent(test.truth)
    panels = {
        "True labels": cooccurrence.conditional_frequencies(test.truth),
        "Predicted labels": cooccurrence.conditional_frequencies(predicted[final]),
        "Independent labels": cooccurrence.independent_frequencies(predicted[final]),
    }
    panels = {title: frequencies[shown][:, shown] for title, frequencies in panels.items()}
    drawn = figures.cooccurrence(panels, [labels.classes[j] for j in shown])
    figures.save(drawn, Path(o.figure[0]).with_suffix(""))
