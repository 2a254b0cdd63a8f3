"""Train a job's runs of Model 3, and write their scores."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import provenance
    from multilabel.experiments.designs import images, networks, prediction, training
    from multilabel.images import decode

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    size, folder = p.settings["sizes"]["input_size"], Path(o.weights[0]).parents[1]
    splits = {
        split: images.load(
            labels,
            p.folders[split],
            size,
            memory_gb=p.memory_gb,
            reading={**p.reading, **decode.reading(snakemake.config)},
        )
        for split, labels in zip(("train", "val", "test"), i.labels, strict=True)
    }
    training.train_runs(
        p.runs,
        splits=(splits["train"], splits["val"]),
        settings=p.settings,
        record={"configuration": p.configuration, "inputs": provenance.digests(i.labels[:2]), "code": p.code},
        folder=folder,
        timing=Path(o.timing[0]).parent,
    )
    evaluated = {split: splits[split] for split in ("val", "test")}
    for run in p.runs:
        scores = Path(o.scores[0]).parents[1] / run
        prediction.predict_run(
            run, folder / run / "best.weights.h5", evaluated, scores, networks.Sizes(**p.settings["sizes"])
        )
