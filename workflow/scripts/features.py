"""Write the bottleneck features of a split: every design from one pass over its images."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import backbones, features, files, images, provenance
    from multilabel.labels import LabelMatrix

    i, p = snakemake.input, snakemake.params
    designs = [tuple(design) for design in p.designs]
    features.extract(
        LabelMatrix.load(i.labels),
        i.images,
        backbones.build(**p.base, weights=i.weights or None),
        dict(zip(designs, snakemake.output, strict=False)),
        skipped=snakemake.output.skipped,
        batch_size=p.batch_size,
        reading=p.reading,
        statistics=images.ChannelStatistics(**files.read_json(i.statistics)) if i.statistics else None,
        provenance={"base": p.base, "inputs": provenance.digests(filter(None, [i.labels, i.weights]))},
    )
