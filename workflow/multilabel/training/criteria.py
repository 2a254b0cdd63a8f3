"""Criteria that need a metric of the validation scores; apart, so that others do not depend on the metrics' code."""

import numpy as np

from multilabel.datasets.labels import IGNORED
from multilabel.evaluation import metrics
from multilabel.training.schedule import Criterion


def mean_average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """MAP of labels as a source stores them: what is above 0 is true, IGNORED pairs count neither way."""
    return metrics.mean_average_precision(np.ma.masked_array(truth > 0, truth == IGNORED), scores)


HIGHEST_MAP = Criterion("val_map", lowest=False, measure=mean_average_precision)
"""Mean over the classes of scikit-learn's average precision; a class without images counts 0."""
