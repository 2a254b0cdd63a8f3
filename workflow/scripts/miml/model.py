"""Train L1 logistic regression on features of all blocks of all images, and write it as one self-describing file."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads)
    from multilabel import provenance
    from multilabel.experiments.miml import model, protocol

    i, p = snakemake.input, snakemake.params
    model.save(
        snakemake.output[0],
        p.run,
        protocol.load(i.features, i.labels),
        base=p.base,
        base_weights=i.weights or None,
        **p.settings,
        provenance={"inputs": provenance.digests(filter(None, [i.features, i.labels, i.weights]))},
    )
