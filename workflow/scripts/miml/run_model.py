"""Write a run of logistic regression as one self-describing file, with thresholds from validation images."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads, gpu=False)
    from multilabel import files, provenance
    from multilabel.evaluation import validation
    from multilabel.experiments.miml import model, own_splits

    i, p = snakemake.input, snakemake.params
    decided = validation.decided(i.labels, i.scores)
    model.save(
        snakemake.output[0],
        snakemake.wildcards.penalty,
        own_splits.load(i.classifiers),
        classes=decided.classes,
        thresholds=decided.thresholds,
        base=p.base,
        base_weights=i.weights or None,
        **p.network,
        provenance={
            "run": files.read_json(i.record),
            "thresholds": decided.origin,
            "inputs": provenance.digests(filter(None, [i.classifiers, i.weights])),
        },
    )
