"""Scores of one-vs-rest logistic regression on the features that the top models take, C chosen on validation images."""

import numpy as np

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.experiments.transfer import independent
from multilabel.features import files as features

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    image_id, x = features.load(i.train)
    labels = LabelMatrix.load(i.labels)
    truth = labels.labels[labels.rows_of(image_id, name=i.labels, other=i.train)]
    seen, validation = features.load(i.evaluated[0]), LabelMatrix.load(i.validation)

    scorer, found = independent.choose(
        np.asarray(x),
        truth,
        lambda score: predictions.with_truth(
            seen.image_id, score(np.asarray(seen.features)), validation, name=i.validation, other=i.evaluated[0]
        ),
        p.cs,
        threads=snakemake.threads,
    )
    for evaluated, output in zip(i.evaluated, o.scores, strict=True):
        image_id, x = features.load(evaluated)
        predictions.save(output, image_id, scorer(np.asarray(x)))
    files.write_json(o.chosen, {"c": max(found, key=found.__getitem__), "mean_average_precision": found})
