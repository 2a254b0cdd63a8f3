"""Write the page on which any two methods are compared image by image."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.comparison import gallery

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    gallery.write(
        snakemake.output[0],
        p.methods,
        Path(snakemake.output[0]).parents[1],
        i.chosen,
        tuple(i.labels),
        i.images,
        dataset=p.dataset,
        size=p.size,
        seed=p.seed,
        workers=snakemake.threads,
    )
