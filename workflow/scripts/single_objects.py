"""Write the images of one object each on which the demo's base network is trained."""

from multilabel import logs
from multilabel.datasets import shapes

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    shapes.write_single_objects(snakemake.output[0], images=p.images, size=p.size, seed=p.seed)
