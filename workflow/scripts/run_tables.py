"""Write the tables of all runs, refusing runs of another configuration than the current one."""

from pathlib import Path

from multilabel import curves, logs, provenance, tables

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    for stage, caption in [
        ("top_models", "Top models (stage 1), best validation loss first."),
        ("finetuned", "Fine-tuned models (stage 2), best validation loss first."),
    ]:
        kind = stage.rstrip("s") if stage == "top_models" else stage
        provenance.require(i[f"{kind}_records"], p[f"{kind}_configuration"])
        frame = tables.run_table(curves.read(i[f"{kind}_logs"]))
        tables.write_table(frame, Path(snakemake.output[stage][0]).with_suffix(""), caption, digits=5)
