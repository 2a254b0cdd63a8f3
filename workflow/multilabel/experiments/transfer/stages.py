"""The stages of the experiment in DVC, and its jobs that are sent to a cluster together."""

from multilabel.config.transfer import Keys
from multilabel.stages import Plot, Stage

RUN_FOLDERS = ["top_models", "finetuned"]
"""Folders below the results whose entries are runs."""

GROUPS = {
    "data": ["dataset_statistics", "table1", "reference_figures"],
    "completed": ["random_base_gather_features"],
    # A minute of a GPU for each model, one after the other.
    "predictions": ["single_label", "predict_finetuned"],
    # Everything after that, on a CPU.
    "evaluation": [
        "predict_top_model",
        "final_model",
        "model",
        "model_of_run",
        "run_tables",
        "loss_figures",
        "time_figure",
        "table2",
        "examples",
        "metric_table",
        "intervals",
        "reproduction",
        "single_label_table",
        "learning_curve_figure",
        "cooccurrence",
        "gallery",
        "curves",
        "provenance",
    ],
}

PLOTS = [
    Plot("Learning curves", "curves", "epoch", "val_loss", "curves/training.csv"),
    Plot(
        "Average precision of each class",
        "bar_horizontal",
        "average_precision",
        "class",
        "curves/average_precision.csv",
    ),
    Plot("Precision and recall", "curves", "recall", "precision", "curves/precision_recall.csv"),
]


def stages(config: Keys) -> list[Stage]:
    """The stages, in the order of the data. Seconds are measured and differ each time: what shows them comes last."""
    compared = config.finetune.random_base or config.grid.coverage
    starts = ["finetune.runs", "finetune.random_base"] if compared else []
    coverage = ["grid.coverage"] if config.grid.coverage else []
    pretraining = ["threads.finetuning"] if config.base.weights == "pretrain" else []
    whitened = ["features.zca_epsilon"] if any("zca" in run for run in (*config.grid.runs, *config.grid.extra)) else []
    data = ["dataset", "labels", "base"]
    return [
        Stage(
            "features",
            "all_features",
            [
                *data,
                *[f"features.{key}" for key in ("batch_size", "shards", "mixed_precision", "xla")],
                *whitened,
                "grid.runs",
                "grid.extra",
                *coverage,
                *starts,
                "threads.features",
                *pretraining,
            ],
        ),
        Stage(
            "top_models",
            "all_top_models",
            [*data, "grid", *starts, "threads.features", "threads.training"],
        ),
        Stage("finetune", "all_finetuned", [*data, "grid", "finetune", "threads"]),
        Stage(
            "evaluate",
            "all_metrics",
            [
                *[
                    *data,
                    "grid",
                    *(starts or ["finetune.runs"]),
                    "evaluation",
                ],
                *["learning_curve", "threads.features", "threads.training"],
            ],
        ),
        Stage(
            "report",
            "all_report",
            [*data, "grid", "finetune", "evaluation", "figures", "learning_curve", "threads"],
        ),
        Stage(
            "timing",
            "transfer",
            [
                *[
                    "dataset.name",
                    "dataset.subset",
                    *(["labels"] if coverage else []),
                    "grid",
                    "finetune.runs",
                    "finetune.random_base",
                ],
                "figures",
            ],
        ),
    ]
