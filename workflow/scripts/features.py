"""Write the bottleneck features of a split, or of a part of it: every design from one pass over its images."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import files, provenance
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.features import extraction
    from multilabel.images import decode
    from multilabel.images.normalise import ChannelStatistics
    from multilabel.networks import backbones

    i, p = snakemake.input, snakemake.params
    split = (
        LabelMatrix.load(i.labels),
        i.images,
        backbones.build(**p.base, weights=i.weights or None),
        {(preprocess, pooling): f"{p.prefix}_{preprocess}_{pooling}.h5" for preprocess, pooling in p.designs},
    )
    options = p.settings | {
        "skipped": f"{p.prefix}_skipped.csv",
        "reading": {**p.reading, **decode.reading(snakemake.config)},
        "statistics": ChannelStatistics(**files.read_json(i.statistics)) if i.statistics else None,
        "provenance": {
            "base": p.base,
            "settings": p.settings,
            "threads": p.threads,
            "inputs": provenance.digests(filter(None, [i.labels, i.image_list, i.weights])),
            "code": p.code,
            "versions": provenance.versions(),
        },
    }
    if p.part[1] == 1:
        extraction.extract(*split, **options)
    else:
        files.write_json(snakemake.output.record, extraction.extract_part(*split, part=p.part, **options))
