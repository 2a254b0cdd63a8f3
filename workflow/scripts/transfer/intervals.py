"""Write the final model's metrics with their intervals, and how it and other runs differ on the same images."""

from pathlib import Path

from multilabel import files, logs
from multilabel.evaluation import all_metrics, bootstrap, predictions
from multilabel.report import tables

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    final = files.read_json(i.final)["run"]
    results = Path(i.final).parent

    runs = {run: (predictions.of_run(results, run, p.test), predictions.of_run(results, run, "val")) for run in p.runs}
    test, validation = runs[final]
    options = {"k": p.k, "validation": (validation.truth, validation.scores)}
    resampled = bootstrap.resample(test.truth, test.scores, n=p.resamples, seed=p.seed, **options)
    drawn = f"Bias-corrected bootstrap over the images of the {p.test} split of {p.dataset}, {p.resamples} resamples."
    tables.write_table(
        bootstrap.intervals(all_metrics.evaluate(test.truth, test.scores, **options), resampled),
        Path(o.intervals[0]).with_suffix(""),
        f"Every metric of {final} with its 95 % interval. {drawn}",
    )

    pairs = [(final, run) for run in p.evaluated if run != final] + [tuple(pair) for pair in p.pairs]
    frame = bootstrap.comparisons(runs, dict.fromkeys(pairs), k=p.k, n=p.resamples, seed=p.seed)
    tables.write_table(
        frame,
        Path(o.comparisons[0]).with_suffix(""),
        f"Two runs on the same images: the difference is the first minus the second, with its 95 % interval. {drawn}",
        group="run",
    )
