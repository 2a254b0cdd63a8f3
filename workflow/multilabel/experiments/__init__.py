"""The one list of experiments: what each paper or document adds to the shared parts.

Each has the same name everywhere: `config/NAME.py` with its keys and checks, `rules/NAME.smk` with a target of that
name, the package `experiments/NAME` and the page `docs/NAME.md`. Targets, categories of the report, `prune`, `restore`
and the stages of DVC follow from this list. The first is the main experiment, which `snakemake` alone makes.
"""

EXPERIMENTS = {
    "transfer": "Two-stage transfer",
    "miml": "Small datasets",
    "designs": "Three designs",
    "single_positive": "Single positive labels",
    "query2label": "Query2Label",
    "comparison": "Every method",
}
"""Name → what the report calls it."""

MAIN = next(iter(EXPERIMENTS))
