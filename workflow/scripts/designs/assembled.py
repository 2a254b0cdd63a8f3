"""Make one run of the networks of Model 1 or 2."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=False)
    from multilabel.experiments.designs import networks, prediction
    from multilabel.images import decode

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    prediction.assemble(
        i.networks,
        i.logs,
        {split: (labels, p.folders[split]) for split, labels in zip(("val", "test"), i.labels, strict=True)},
        sizes=networks.Sizes(**p.sizes),
        reading={"memory_gb": p.memory_gb, "reading": {**p.reading, **decode.reading(snakemake.config)}},
        folder=Path(o.scores[0]).parent,
        record=o.record,
        cost=o.cost,
    )
