"""From images to the tables and figures of the papers: what there is to make, and where its rules are."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/top_models.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/beyond.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/miml.smk"
include: "workflow/rules/versions.smk"


rule all:
    default_target: True
    input:
        rules.paper.input,
        rules.curves.output,
        rules.provenance.output,
