"""Train the whole network: the search of one study."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import provenance
    from multilabel.experiments.single_positive import observation, samples
    from multilabel.experiments.single_positive.training import Settings, Training
    from multilabel.images import decode

    i, p = snakemake.input, snakemake.params
    seen = observation.Observed.load(i.seen[0])
    files = [*i.labels, *i.image_lists, i.chosen_by, *i.seen, *filter(None, [i.weights, i.start, i.estimates])]
    training = Training(
        samples.of_images(
            dict(zip(p.places, i.images, strict=True)),
            seen,
            dict(zip(("val", "test"), i.labels, strict=True)),
            i.chosen_by,
            base={**p.base, "weights": i.weights or None},
            preprocess=p.preprocess,
            start=i.start or None,
            memory_gb=p.memory_gb,
            reading={**p.reading, **decode.reading(snakemake.config)},
            batch_size=p.batch_size,
        ),
        Settings(**p.settings),
        Path(p.folder),
        p.record | {"inputs": provenance.digests(files), "code": p.code},
    )
    start = observation.load_estimates(i.estimates, seen.image_id) if i.estimates else None
    training.study(p.study, seen.labels, start)
    training.forget([p.study])
