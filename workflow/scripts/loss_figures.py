"""Draw Figs. 4 to 6 and the losses of fine-tuning."""

from pathlib import Path

import pandas as pd

from multilabel import figures, logs

with logs.logged(snakemake.log[0]):
    folder = Path(snakemake.output[0]).parent
    top_models, finetuned = (
        {Path(path).parent.name: pd.read_csv(path) for path in paths}
        for paths in (snakemake.input.top_models, snakemake.input.finetuned)
    )
    for panels in snakemake.params.figures.values():
        styles = figures.run_styles([run for runs in panels.values() for run in runs])
        for name, runs in panels.items():
            drawn = figures.loss_curves(
                {run: top_models[run] for run in runs}, x="time" if name == "fig6b" else "epoch", styles=styles
            )
            figures.save(drawn, folder / name)
    figures.save(figures.loss_curves(finetuned), folder / "finetuning")
