"""Write the tables of all runs, refusing runs of another configuration than the current one."""

from pathlib import Path

from multilabel import logs, provenance
from multilabel.report import curves, tables

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    for root, configuration in p.top_model_configurations.items():
        own = f"results/{root}/top_models/"
        provenance.require([path for path in i.top_model_records if path.startswith(own)], configuration)
    provenance.require(i.finetuned_records, p.finetuned_configuration)

    frame = tables.run_table(curves.read(i.top_model_logs), curves.read_repeats(i.repeats))
    tables.write_table(
        frame,
        Path(o.top_models[0]).with_suffix(""),
        "Top models (stage 1), best validation loss first.",
        shown=tables.with_deviations(frame, 5),
        digits=5,
    )
    tables.write_table(
        tables.run_table(curves.read(i.finetuned_logs)),
        Path(o.finetuned[0]).with_suffix(""),
        "Fine-tuned models (stage 2), best validation loss first.",
        digits=5,
    )
