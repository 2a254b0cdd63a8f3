"""Write the final model as one self-describing file: weights, preprocessing, classes, thresholds from validation."""

from pathlib import Path

from multilabel import export, files, logs, provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, predictions
from multilabel.experiments.transfer import runs

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    final = files.read_json(i.final)
    results = Path(i.final).parent
    run = results / "finetuned" / final["run"]
    validation = predictions.of_run(results, final["run"], "val")
    export.save(
        snakemake.output[0],
        run / "best.weights.h5",
        experiment="transfer",
        run=final["run"],
        base=p.base,
        preprocess=runs.parse(final["run"]).preprocess,
        classes=LabelMatrix.load(i.labels).classes,
        thresholds=decisions.cardinality_thresholds(validation.scores, validation.truth),
        statistics=files.read_json(i.statistics) if i.statistics else None,
        provenance={
            "run": files.read_json(run / "run.json"),
            "chosen_by": {"criterion": final["criterion"], "value": final["values"][final["run"]]},
            "thresholds": {
                "from": "as many images predicted per class as have it",
                "images": len(validation.truth),
                "inputs": provenance.digests([i.labels, predictions.path_of(results, final["run"], "val")]),
            },
        },
    )
