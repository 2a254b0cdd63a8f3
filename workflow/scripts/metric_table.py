"""Write the metrics of top models, fine-tuned models and baselines side by side."""

from pathlib import Path

from multilabel import files, logs, tables

with logs.logged(snakemake.log[0]):
    i = snakemake.input
    groups = {
        "top model, base with random weights": i.random_base,
        "one classifier per label": i.independent,
        "top model": i.top_models,
        "fine-tuned": i.finetuned,
    }
    rows = [(kind, Path(path).stem, files.read_json(path)) for kind, paths in groups.items() for path in paths]
    tables.write_table(
        tables.metric_table(rows),
        Path(snakemake.output[0]).with_suffix(""),
        f"Metrics on the {snakemake.params.test} split of {snakemake.params.dataset}; thresholds come from val.",
        group="model",
    )
