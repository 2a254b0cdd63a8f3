"""Write the dataset's table and Figs. 2 and 3."""

from multilabel import logs, tables

with logs.logged(snakemake.log[0]):
    from multilabel import figures
