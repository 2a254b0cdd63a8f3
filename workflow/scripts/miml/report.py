"""Write Table 1 and Fig. 3 of paper 003, and which blocks the chosen features come from."""

from pathlib import Path

import pandas as pd

from multilabel import logs
from multilabel.experiments.miml import figures, protocol, reproduction, tables
from multilabel.report import verdicts
from multilabel.report.figures import save
from multilabel.report.tables import write_table

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    published = tables.published()
    scores = {name: pd.read_csv(path) for name, path in zip([p.dataset, *p.beside], [i.scores, *i.beside], strict=True)}
    rows = reproduction.page(published, p.dataset.split("_")[0], scores[p.dataset], comparable=not p.departures)
    other = f" Not the paper's: {'; '.join(p.departures)}." if p.departures else ""
    write_table(
        pd.DataFrame(rows),
        Path(o.reproduction[0]).with_suffix(""),
        f"Paper 003 against {p.dataset}. {verdicts.counted(rows)}{other}",
        shown=pd.DataFrame(verdicts.as_text(rows)),
    )
    for frame in scores.values():
        frame["classifier"] = frame["classifier"].str.replace("VGG", p.network)
    theirs = {name: published.get(name.split("_")[0]) for name in scores}

    table, shown = tables.comparison(scores[p.dataset], theirs[p.dataset])
    write_table(
        table,
        Path(o.table1[0]).with_suffix(""),
        f"Mean and standard deviation over {p.splits} random splits of {p.dataset}. Published rows are as printed "
        "in Dong et al. (2015). ↑: high values are good, ↓: low ones.",
        shown=shown,
        group="group",
    )
    best = {name: tables.best_published(values) for name, values in theirs.items()}
    save(figures.small_training_sets(scores, best), Path(o.fig3[0]).with_suffix(""))

    blocks = tables.chosen_by_block(pd.read_csv(i.chosen), protocol.blocks_of(i.features))
    write_table(
        blocks,
        Path(o.blocks[0]).with_suffix(""),
        f"Features that the L1 penalty chose on {p.dataset}, by the block of the network that they come from: mean "
        f"over labels and {p.splits} random splits.",
    )
    save(figures.chosen_blocks(blocks), Path(o.blocks_figure[0]).with_suffix(""))
