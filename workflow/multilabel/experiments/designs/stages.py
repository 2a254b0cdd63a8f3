"""The stages of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.designs import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS: list[str] = ["designs/runs", "designs/predictions", "designs/metrics"]
"""Folders below the results whose entries are runs."""

GROUPS = {
    "data": ["designs_labels"],
    "evaluation": ["designs_metrics", "designs_model", "designs_quality", "designs_costs"],
}
PLOTS: list[Plot] = []


def stages(config: Keys) -> list[Stage]:
    """One stage: seconds are measured in it, so that it differs each time it runs."""
    return [
        Stage(
            "designs",
            "designs",
            ["dataset", "labels", "base", "features.workers", "evaluation", "designs", "threads.training"],
        )
    ]
