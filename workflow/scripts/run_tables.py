"""Write the tables of all runs, refusing runs of another configuration than the current one."""

from pathlib import Path

from multilabel import curves, logs, provenance, tables

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    for root, configuration in p.top_model_configurations.items():
        records = [path for path in i.top_model_records if Path(path).parts[:-3] == Path("results", root).parts]
        provenance.require(records, configuration)
    provenance.require(i.finetuned_records, p.finetuned_configuration)
    top_models = tables.run_table(curves.read(i.top_model_logs), curves.read_repeats(i.repeats))
    for stage, frame, caption in [
        ("top_models", top_models, "Top models (stage 1), best validation loss first."),
        (
            "finetuned",
            tables.run_table(curves.read(i.finetuned_logs)),
            "Fine-tuned models (stage 2), best validation loss first.",
        ),
    ]:
        tables.write_table(
            frame,
            Path(o[stage][0]).with_suffix(""),
            caption,
            shown=tables.with_deviations(frame, 5),
            digits=5,
        )
