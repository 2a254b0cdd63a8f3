"""Draw Figs. 4 to 6 and the losses of fine-tuning."""

from pathlib import Path

from multilabel import curves, figures, logs, reference

with logs.logged(snakemake.log[0]):
    folder = Path(snakemake.output[0]).parent
    top_models, finetuned = curves.read(snakemake.input.top_models), curves.read(snakemake.input.finetuned)
    beside = reference.load() if snakemake.params.reference else {}
    figures.save_panels(snakemake.params.figures, top_models, folder, beside=beside, beside_name=reference.NAME)
    figures.save(figures.loss_curves(finetuned, beside=beside, beside_name=reference.NAME), folder / "finetuning")
