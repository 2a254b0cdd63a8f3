"""Multi-label image classification: the library behind the workflow, which knows nothing of Snakemake."""
