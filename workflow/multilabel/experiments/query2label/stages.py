"""The stages of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.query2label import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = ["query2label/runs"]
"""Folders below the results whose entries are runs."""

GROUPS = {"query2label": ["query2label_table1", "query2label_report", "query2label_comparison"]}
PLOTS: list[Plot] = []


def stages(config: Keys) -> list[Stage]:
    """Training and what is said of it, and then what shows measured times, which differ each time."""
    keys = ["dataset", "labels", "base", "features.batch_size", "evaluation", "query2label", "threads"]
    return [Stage("query2label", "query2label_results", keys), Stage("query2label_timing", "query2label", keys)]
