"""Measure what scoring an image takes with the model file of each method."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import files
    from multilabel.experiments.comparison import cost

    i, p = snakemake.input, snakemake.params
    chosen = files.read_json(i.chosen)["methods"]
    models = {name: Path(i.chosen).parents[1] / entry["model"] for name, entry in chosen.items()}
    with files.complete_or_absent(snakemake.output[0]) as temporary:
        cost.inference(models, batch_size=p.batch_size).to_csv(temporary, index=False)
