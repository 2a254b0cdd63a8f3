"""Multi-label image classification: the library behind the workflow, which knows nothing of Snakemake."""

__version__ = "0.1.0"
