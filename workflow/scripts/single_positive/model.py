"""Write the chosen run of a study as one self-describing file: weights, preprocessing, classes, thresholds."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads)
    from multilabel.experiments.single_positive import model

    i, p = snakemake.input, snakemake.params
    model.save(
        snakemake.output[0],
        p.study,
        p.seed,
        folder=Path(i.search).parents[1],
        labels=i.labels,
        base=p.base,
        base_weights=i.base or None,
        preprocess=p.preprocess,
    )
