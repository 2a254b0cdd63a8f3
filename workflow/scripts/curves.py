"""Write the curves of training, and the final model's precision and recall on the test split."""

from pathlib import Path

import pandas as pd

from multilabel import curves, files, logs, predictions
from multilabel.labels import LabelMatrix

with logs.logged(snakemake.log[0]):
    i, o = snakemake.input, snakemake.output
    run = files.read_json(i.final)["run"]
    scores = next(path for path in i.scores if Path(path).parent.name == run)
    found = predictions.load_with_truth(scores, i.labels)
    history = {Path(path).parent.name: pd.read_csv(path) for path in [*i.top_models, *i.finetuned]}
    for path, frame in [
        (o.training, curves.training(history)),
        (o.average_precision, curves.average_precision(found.truth, found.scores, LabelMatrix.load(i.labels).classes)),
        (o.precision_recall, curves.precision_recall(found.truth, found.scores)),
    ]:
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")
