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
    """Everything, and then what shows measured times, which differ each time."""
    data = ["dataset", "labels", "base", "evaluation.k"]
    measured = ["dataset.name", "dataset.subset"]
    intervals = ["evaluation.resamples", "evaluation.seed"]
    sizes = [f"designs.{key}" for key in ("input_size", "filters", "hidden", "networks_jobs")]
    return [
        Stage("designs", "designs_results", [*data, *intervals, "designs", "threads.training"]),
        Stage("designs_timing", "designs", [*measured, *intervals, *sizes, "threads.training"]),
    ]
