"""The stage of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.miml import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS: list[str] = []
"""Folders below the results whose entries are runs."""

GROUPS = {"miml": ["miml_image_list", "miml_scores", "miml_report"]}
PLOTS: list[Plot] = []


def stages(config: Keys) -> list[Stage]:
    """One stage: all of it takes minutes."""
    return [Stage("miml", "miml", ["dataset", "base", "features.batch_size", "miml", "threads.features"])]
