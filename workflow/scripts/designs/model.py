"""Write the best run of Model 3 as one file, and the page of its test images."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(1, gpu=False)
    from multilabel.experiments.designs import model

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    model.write(
        Path(i.records[0]).parents[2],
        dict(zip(p.runs, i.metrics, strict=True)),
        dict(zip(("val", "test"), i.labels, strict=True)),
        images=i.images[0],
        dataset=p.dataset,
        sizes=p.sizes,
        path=o.model,
        gallery_path=o.gallery,
    )
