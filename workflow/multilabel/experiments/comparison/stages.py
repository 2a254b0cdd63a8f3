"""The stages of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.comparison import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = ["comparison/runs"]
"""Folders below the results whose entries are runs."""

GROUPS = {"comparison": ["comparison_frequencies", "comparison_frequencies_model", "comparison_quality",
                         "comparison_costs", "comparison_gallery"]}  # fmt: skip
PLOTS = [Plot("Every method", "bar_horizontal", "mAP", "method", "comparison/quality.csv")]


def stages(config: Keys) -> list[Stage]:
    """How good methods are, and then what shows measured times, which differ each time."""
    keys = ["dataset", "labels", "base", "evaluation", "comparison"]
    return [
        Stage("comparison", "comparison_results", [*keys, "threads"]),
        Stage(
            "comparison_timing",
            "comparison",
            ["dataset.name", "dataset.subset", "features.batch_size", "threads.features"],
        ),
    ]
