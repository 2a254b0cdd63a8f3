"""Write the bottleneck features of a split: every design from one pass over its images."""

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads)
