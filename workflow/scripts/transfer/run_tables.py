"""Write the tables of all runs, refusing runs of another configuration or of other files than the current ones."""

from pathlib import Path

from multilabel import logs, provenance
from multilabel.report import curves, tables

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    for root, configuration in p.top_model_configurations.items():
        own = f"results/{root}/top_models/"
        provenance.require([path for path in i.top_model_records if path.startswith(own)], configuration)
    provenance.require(i.finetuned_records, p.finetuned_configuration)
    provenance.require_inputs([*i.top_model_records, *i.finetuned_records])

    frame = tables.run_table(curves.read(i.top_model_logs), curves.read_repeats(i.repeats))
    panels = ", ".join(f"Fig. {panel.removeprefix('fig')}" for panel in p.left_out)
    without = f" Left out, because fewer than two of their runs are trained: {panels}." if panels else ""
    tables.write_table(
        frame,
        Path(o.top_models[0]).with_suffix(""),
        f"Top models (stage 1), best validation loss first.{without}",
        shown=tables.with_deviations(frame, 5),
        digits=5,
    )
    tables.write_table(
        tables.run_table(curves.read(i.finetuned_logs)),
        Path(o.finetuned[0]).with_suffix(""),
        "Fine-tuned models (stage 2), best validation loss first.",
        digits=5,
    )
