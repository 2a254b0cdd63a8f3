"""The stages of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.query2label import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = ["query2label/runs"]
"""Folders below the results whose entries are runs."""

GROUPS = {"query2label": ["query2label_table1", "query2label_report", "query2label_comparison"]}
PLOTS: list[Plot] = []


def stages(config: Keys) -> list[Stage]:
    """Training and what is said of it, and then what shows measured times, which differ each time."""
    used = ["threads.features", "threads.finetuning", "features.batch_size", "query2label"]
    intervals = ["evaluation.k", "evaluation.resamples", "evaluation.seed"]
    measured = [
        "dataset.name",
        "dataset.subset",
        "query2label.unlabelled",
        *intervals,
        "features.batch_size",
        "threads.features",
    ]
    compared = ["query2label.compared", "query2label.seed", "query2label.seeds"]
    return [
        Stage("query2label", "query2label_results", ["dataset", "labels", "base", "evaluation.k", *used]),
        Stage("query2label_timing", "query2label", [*measured, *compared]),
    ]
