"""Write a run as one self-describing file: weights, preprocessing, classes, thresholds from validation."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.threads)
    from multilabel import files
    from multilabel.experiments.transfer import model
    from multilabel.features import whitening

    i, p = snakemake.input, snakemake.params
    final = files.read_json(i.final) if i.get("final") else None
    run = final["run"] if final else snakemake.wildcards.run
    model.save(
        snakemake.output[0],
        run,
        results=Path(i.labels).parents[1],
        base=p.base,
        base_weights=i.get("base") or None,
        whitening=whitening.fit(i.train, p.epsilon) if i.get("train") else None,
        statistics=i.statistics or None,
        chosen_by={"criterion": final["criterion"], "value": final["values"][run]} if final else None,
    )
