"""Write the tables of all runs, refusing runs of another configuration than the current one."""

from pathlib import Path

import pandas as pd

from multilabel import logs, provenance, tables

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    for stage, caption in [
        ("top_models", "Top models (stage 1), best validation loss first."),
        ("finetuned", "Fine-tuned models (stage 2), best validation loss first."),
    ]:
        kind = stage.rstrip("s") if stage == "top_models" else stage
        provenance.require(i[f"{kind}_records"], p[f"{kind}_configuration"])
        history = {Path(path).parent.name: pd.read_csv(path) for path in i[f"{kind}_logs"]}
        frame = tables.run_table(history)
        tables.write_table(frame, Path(snakemake.output[stage][0]).with_suffix(""), caption, digits=5)
