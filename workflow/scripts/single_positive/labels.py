"""Write the labels of each part in the published order, and what is observed of the training images."""

from multilabel import logs
from multilabel.experiments.single_positive import prepare

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    prepare.write(
        i.train,
        i.test,
        validation=i.validation or None,
        studies={study.seen: study for study in p.studies},
        parts={part: o[part] for part in ("train", "validation", "test", "chosen_by")},
        seen=dict(zip([study.seen for study in p.studies], o.seen, strict=True)),
        fraction=p.fraction,
        seed=p.seed,
        validation_labels=p.validation_labels,
        ks=p.ks,
    )
