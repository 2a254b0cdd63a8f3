"""The names of all metrics of a run, for what has to know them before there is a run."""

DECISIONS = (
    *("top_k", "top_k_per_image"),
    *("cardinality_threshold", "cardinality_threshold_per_class", "fixed_threshold"),
)
RANKING = (
    *("mean_average_precision", "image_average_precision"),
    *("voc_mean_average_precision", "voc_mean_average_precision_eleven_points"),
)
"""Metrics of scores of which more is better."""

BETTER = (
    *RANKING,
    *(
        f"{decision}_{name}"
        for decision in DECISIONS
        for name in (
            *(
                f"{average}_{share}"
                for average in ("macro", "micro", "instance")
                for share in ("precision", "recall", "f1")
            ),
            "jaccard",
        )
    ),
)
"""All metrics of which more is better: those by which the final model can be chosen."""

OTHERS = (
    *("label_cardinality", "coverage", "one_error", "ranking_loss", "cardinality_threshold_tau"),
    *(f"{decision}_{name}" for decision in DECISIONS for name in ("subset_zero_one_loss", "hamming_loss")),
)
"""The other names: losses, and what says nothing of quality."""
