"""Write the demo's scenes in COCO's format."""

from pathlib import Path

from multilabel import logs
from multilabel.datasets import shapes

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    shapes.write_scenes(Path(snakemake.output.train).parent, train=p.train, val=p.test, size=p.size, seed=p.seed)
