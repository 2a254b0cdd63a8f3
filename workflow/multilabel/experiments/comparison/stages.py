"""The stages of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.comparison import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = ["comparison/runs"]
"""Folders below the results whose entries are runs."""

GROUPS = {"comparison": ["comparison_frequencies", "comparison_frequencies_model", "comparison_quality",
                         "comparison_costs", "comparison_gallery"]}  # fmt: skip
PLOTS = [Plot("Every method", "bar_horizontal", "mAP", "method", "comparison/quality.csv")]


def stages(config: Keys) -> list[Stage]:
    """How good methods are, and then what shows measured times, which differ each time.

    Other keys concern it through what other stages make.
    """
    methods = [
        *["grid.seeds", "grid.seed", "finetune.runs", "learning_curve", "miml.sizes", "designs.networks_jobs"],
        *[f"single_positive.{key}" for key in ("training_seed", "linear.seeds", "end_to_end.seeds")],
        *[f"query2label.{key}" for key in ("compared", "seeds", "seed")],
        "threads.features",
        "features.batch_size",
    ]
    judging = [f"evaluation.{key}" for key in ("k", "criterion", "resamples", "seed")]
    files = ["features.zca_epsilon", "miml.c", "miml.seed"]
    files += [f"designs.{key}" for key in ("input_size", "filters", "hidden")]
    return [
        Stage(
            "comparison", "comparison_results", ["dataset", "labels", "base", *methods, *judging, *files, "comparison"]
        ),
        Stage("comparison_timing", "comparison", ["dataset.name", "dataset.subset", *methods]),
    ]
