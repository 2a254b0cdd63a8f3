"""From images to the tables and figures of the papers: what there is to make, and where its rules are."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/evaluation.smk"


for experiment in EXPERIMENTS:

    include: f"workflow/rules/{experiment}.smk"


rule all:
    default_target: True
    input:
        getattr(rules, MAIN).input,
