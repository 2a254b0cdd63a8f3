"""Draw Figs. 4 to 6 and the losses of fine-tuning."""

from pathlib import Path

import pandas as pd

from multilabel import figures, logs, reference

with logs.logged(snakemake.log[0]):
    folder = Path(snakemake.output[0]).parent
    top_models, finetuned = (
        {Path(path).parent.name: pd.read_csv(path) for path in paths}
        for paths in (snakemake.input.top_models, snakemake.input.finetuned)
    )
    beside = reference.load() if snakemake.params.reference else {}
    figures.save_panels(snakemake.params.figures, top_models, folder, beside=beside, beside_name=reference.NAME)
    figures.save(figures.loss_curves(finetuned, beside=beside, beside_name=reference.NAME), folder / "finetuning")
