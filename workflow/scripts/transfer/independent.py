"""Scores of one logistic regression per label, on the features that the top models take."""

import numpy as np

from multilabel import logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.features import files as features
from multilabel.training import linear

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    image_id, x = features.load(i.train)
    labels = LabelMatrix.load(i.labels)
    truth = labels.labels[labels.rows_of(image_id, name=i.labels, other=i.train)]
    model = linear.fit(np.asarray(x), truth, penalty="l2", c=p.c, report=print)
    for evaluated, output in zip(i.evaluated, o, strict=True):
        image_id, x = features.load(evaluated)
        predictions.save(output, image_id, linear.probabilities(model, np.asarray(x)))
