"""Write a run of logistic regression as one self-describing file, with thresholds from validation images."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads, gpu=False)
    from multilabel import files, provenance
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.evaluation import decisions, predictions
    from multilabel.experiments.miml import model, own_splits

    i, p = snakemake.input, snakemake.params
    validation = predictions.load_with_truth(i.scores, i.labels)
    model.save(
        snakemake.output[0],
        snakemake.wildcards.penalty,
        own_splits.load(i.classifiers),
        classes=LabelMatrix.load(i.labels).classes,
        thresholds=decisions.cardinality_thresholds(validation.scores, validation.truth),
        base=p.base,
        base_weights=i.weights or None,
        **p.network,
        provenance={
            "run": files.read_json(i.record),
            "thresholds": {
                "from": "as many images predicted per class as have it",
                "images": len(validation.truth),
                "inputs": provenance.digests([i.labels, i.scores]),
            },
            "inputs": provenance.digests(filter(None, [i.classifiers, i.weights])),
        },
    )
