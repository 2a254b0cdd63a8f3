"""Write the metrics of top models, fine-tuned models and baselines side by side."""

from pathlib import Path

from multilabel import files, logs
from multilabel.report import tables

with logs.logged(snakemake.log[0]):
    i = snakemake.input
    groups = {
        "top model, base with random weights": i.random_base,
        "one-vs-rest logistic regression": i.independent,
        "top model, trained on coverage labels": i.coverage,
        "top model": i.top_models,
        "fine-tuned": i.finetuned,
    }
    rows = [(kind, Path(path).stem, [files.read_json(path)]) for kind, paths in groups.items() for path in paths]
    for run in dict.fromkeys(Path(path).stem for path in i.repeats):
        seeds = [files.read_json(path) for path in [*i.top_models, *i.repeats] if Path(path).stem == run]
        rows.append((f"top model, mean ± standard deviation of {len(seeds)} seeds", run, seeds))
    c = f", C = {files.read_json(i.chosen[0])['results']['c']:g} of logistic regression likewise" if i.chosen else ""
    frame = tables.metric_table(rows)
    tables.write_table(
        frame,
        Path(snakemake.output[0]).with_suffix(""),
        f"Metrics on the {snakemake.params.test} split of {snakemake.params.dataset}; thresholds come from val{c}.",
        shown=tables.with_deviations(frame),
        group="model",
    )
