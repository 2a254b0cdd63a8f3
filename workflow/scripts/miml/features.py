"""Write the features of all blocks of the base network."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import provenance
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.experiments.miml import limits
    from multilabel.features import extraction
    from multilabel.images import decode
    from multilabel.networks import backbones

    i, p = snakemake.input, snakemake.params
    base = backbones.build(**p.base, weights=i.weights or None, top=p.bag != "average")
    network, columns = backbones.with_blocks(base, p.blocks, p.bag)
    labels = LabelMatrix.load(i.labels)
    if p.limited:  # by a number that changes no features, so it is no parameter
        limits.require_memory((len(labels), network.output_shape[-1]), snakemake.config["miml"]["largest_gb"])
    extraction.extract(
        labels,
        i.images,
        network,
        {(p.preprocess, "blocks"): snakemake.output.features},
        skipped=snakemake.output.skipped,
        batch_size=p.batch_size,
        reading={**p.reading, **decode.reading(snakemake.config)},
        provenance={
            "base": p.base,
            "blocks": columns,
            "inputs": provenance.digests(filter(None, [i.labels, i.image_list, i.weights])),
        },
    )
