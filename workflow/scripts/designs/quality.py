"""Write the tables and figures that say how good the designs' runs are."""

from pathlib import Path

from multilabel import logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.designs import report

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    labels, folder = dict(zip(("train", "val", "test"), i.labels, strict=True)), Path(i.scores[0]).parents[1]
    report.write_quality(
        report.Results(
            {split: LabelMatrix.load(path) for split, path in labels.items()},
            {run: report.evaluated(folder, run, labels) for run in p.runs},
        ),
        {output: [report.evaluated(folder, run, labels) for run in runs] for output, runs in p.features.items()},
        {name: Path(paths[0]).with_suffix("") for name, paths in o.items() if name != "differences"},
        o.differences,
        dataset=p.dataset,
        resamples=p.resamples,
        seed=p.seed,
    )
