"""Train linear classifiers on fixed features: the searches of some studies, which share the features."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import provenance
    from multilabel.experiments.single_positive import samples
    from multilabel.experiments.single_positive.observation import Observed
    from multilabel.experiments.single_positive.training import Settings, Training

    i, p = snakemake.input, snakemake.params
    seen = {study: Observed.load(path) for study, path in zip(p.studies, i.seen, strict=True)}
    training = Training(
        samples.of_features(
            dict(zip(p.places, i.features, strict=True)),
            seen[p.studies[0]],
            dict(zip(("val", "test"), i.labels, strict=True)),
            i.chosen_by,
        ),
        Settings(**p.settings),
        Path(p.folder),
        p.record | {"inputs": provenance.digests([*i.features, *i.labels, i.chosen_by, *i.seen]), "code": p.code},
        p.watched,
    )
    for study in p.studies:
        training.study(study, seen[study].labels)
    training.forget(p.studies)
