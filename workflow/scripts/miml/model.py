"""Train L1 logistic regression on features of all blocks of all images, and write it as one self-describing file."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads)
    from multilabel import provenance
    from multilabel.experiments.miml import model, protocol
    from multilabel.training import linear

    i, p = snakemake.input, snakemake.params
    samples = protocol.load(i.features, i.labels)
    fitted = linear.fit(samples.x, samples.truth, penalty="l1", **p.settings, report=print)
    model.save(
        snakemake.output[0],
        p.run,
        fitted,
        classes=samples.classes,
        thresholds=[0.5] * len(samples.classes),
        base=p.base,
        base_weights=i.weights or None,
        **p.network,
        provenance={
            "inputs": provenance.digests(filter(None, [i.features, i.labels, i.weights])),
            "images": len(samples.x),
            "c": p.settings["c"],
            "gap": float(fitted.gap.max()),
        },
    )
