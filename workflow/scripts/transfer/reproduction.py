"""Write paper 000 against ours, and each run's best epoch beside the author's."""

from pathlib import Path

import pandas as pd

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import reference, reproduction, tables
from multilabel.report import curves, verdicts
from multilabel.report.tables import write_table

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    final = files.read_json(i.final)["run"]
    results = Path(i.final).parent
    top_models, finetuned = curves.read(i.top_models), curves.read(i.finetuned)
    theirs = reference.load()
    table2, tau = tables.table2_of_run(
        results, final, test=p.test, k=p.k, dataset=p.dataset, n_random=p.ties, seed=p.seed
    )
    rows = reproduction.page(
        {split: LabelMatrix.load(results / f"labels/{split}.h5") for split in {"train", p.test}},
        test=p.test,
        table2=table2,
        final=final,
        tau=tau,
        top_models=top_models,
        finetuned=finetuned,
        panels=p.panels,
        reference=theirs,
        comparable=not p.departures,
    )
    other = f" Not the paper's: {'; '.join(p.departures)}." if p.departures else ""
    write_table(
        pd.DataFrame(rows),
        Path(o.reproduction[0]).with_suffix(""),
        f"Paper 000 against {p.dataset}. {verdicts.counted(rows)}{other}",
        shown=pd.DataFrame(verdicts.as_text(rows)),
    )
    write_table(
        reference.best_epochs(top_models | finetuned, theirs),
        Path(o.best_epochs[0]).with_suffix(""),
        f"Each run's best validation loss and its epoch, from 0: {p.dataset} beside the author's logs.",
        digits=5,
    )
