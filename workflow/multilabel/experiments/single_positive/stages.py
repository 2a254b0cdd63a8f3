"""The stage of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.single_positive import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = [f"single_positive/{kind}" for kind in ("runs", "chosen", "timing")]
"""Folders below the results whose entries are runs."""

GROUPS = {"single_positive": ["single_positive_metrics", "single_positive_hidden", "single_positive_report"]}
PLOTS: list[Plot] = []


def stages(config: Keys) -> list[Stage]:
    """One stage: its searches end together."""
    extraction = ["features.shards", "features.mixed_precision", "features.xla", "threads.features"]
    own = extraction if config.single_positive_features else []
    threads = ["threads.training", "threads.finetuning"]
    keys = ["dataset", "base", "features.batch_size", *own, "single_positive", *threads]
    return [Stage("single_positive", "single_positive", keys)]
