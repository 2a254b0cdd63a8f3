"""Draw panels of Figs. 4 to 6, or the losses of fine-tuning."""

from pathlib import Path

from multilabel import logs
from multilabel.experiments.transfer import figures, reference
from multilabel.report import curves

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    figures.save_panels(
        p.figures,
        curves.read(i.logs, i.get("timings", ())),
        Path(snakemake.output[0]).parent,
        beside=reference.load() if p.reference else {},
        beside_name=reference.NAME,
        repeats=curves.read_repeats(i.repeats),
    )
