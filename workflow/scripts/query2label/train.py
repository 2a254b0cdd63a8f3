"""Train all seeds of one kind of network, and write what they predict and their model files."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel.experiments.query2label import training
    from multilabel.experiments.query2label.heads import Design
    from multilabel.images import decode
    from multilabel.training import loop

    i, p, folder = snakemake.input, snakemake.params, Path(snakemake.params.folder)
    design, settings = Design(**p.design), training.Settings(**p.settings)
    images = training.images_of(
        dict(zip(p.splits, i.labels, strict=True)),
        dict(zip(p.splits, i.images, strict=True)),
        i.image_lists,
        design.base["input_size"],
        memory_gb=settings.memory_gb,
        reading={**p.reading, **decode.reading(snakemake.config)},
    )
    for number, run in enumerate(p.runs):
        seed = p.seed + number
        model = training.train(
            folder, run, design, seed, images, settings, weights=i.weights or None, record=p.record | {"code": p.code}
        )
        training.predict(folder, run, model, design, images, settings, p.evaluated)
    for run in p.runs:
        loop.forget(folder / "runs" / run)
