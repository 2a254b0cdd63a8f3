"""The stage of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.query2label import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = ["query2label/runs"]
"""Folders below the results whose entries are runs."""

GROUPS = {"query2label": ["query2label_table1", "query2label_report"]}
PLOTS: list[Plot] = []


def stages(config: Keys) -> list[Stage]:
    """One stage: it is one training and what is said of it."""
    keys = ["dataset", "labels", "base", "features.batch_size", "evaluation", "query2label"]
    return [Stage("query2label", "query2label", [*keys, "threads.finetuning"])]
