"""Write mean and deviation of each colour over the training images."""

from multilabel import images, logs

with logs.logged(snakemake.log[0]):
    pass
