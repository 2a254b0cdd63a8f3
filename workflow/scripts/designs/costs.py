"""Write Section 7's table, measured, and the tutorial's numbers beside ours."""

from pathlib import Path

import pandas as pd

from multilabel import devices, files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.designs.names import DESIGNS

with logs.logged(snakemake.log[0]):
    devices.configure(1, gpu=False)
    from multilabel.experiments.designs import report

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    labels, folder = dict(zip(("train", "val", "test"), i.labels, strict=True)), Path(i.scores[0]).parents[1]
    report.write_costs(
        report.Results(
            {split: LabelMatrix.load(path) for split, path in labels.items()},
            {design: report.evaluated(folder, design, labels) for design in DESIGNS},
        ),
        {design: files.read_json(path) for design, path in zip(DESIGNS, i.costs, strict=True)},
        report.seconds_of({"model1": i.model1, "model2": i.model2, "model3": [i.model3]}),
        pd.read_csv(i.log),
        pd.read_csv(i.differences),
        {name: Path(paths[0]).with_suffix("") for name, paths in o.items()},
        dataset=p.dataset,
        resamples=p.resamples,
        seed=p.seed,
        comparable=p.comparable,
    )
