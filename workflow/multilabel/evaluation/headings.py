"""The metrics that tables of runs show; apart, so that tables without metrics do not depend on the metrics' code."""

MAIN_METRICS = {  # heading → name in the metrics files
    "mAP": "mean_average_precision",
    "image AP": "image_average_precision",
    "MF1 top-k": "top_k_macro_f1",
    "µF1 top-k": "top_k_micro_f1",
    "MF1 τ": "cardinality_threshold_macro_f1",
    "µF1 τ": "cardinality_threshold_micro_f1",
}
