"""Train a job's networks of one label each."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import provenance
    from multilabel.experiments.designs import images, training
    from multilabel.images import decode

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    size = p.settings["sizes"]["input_size"]
    reading = {**p.reading, **decode.reading(snakemake.config)}
    train, validation = (
        images.load(path, i.images[0], size, memory_gb=p.memory_gb, reading=reading) for path in i.labels
    )
    training.train_networks(
        p.design,
        p.part,
        splits=(train, validation),
        settings=p.settings,
        record={
            "configuration": p.configuration,
            "inputs": provenance.digests([*i.labels, *([i.first] if i.first else [])]),
            "code": p.code,
        },
        path=o.networks,
        timing=o.timing,
        first=i.first or None,
    )
