"""Write the curves of training, and the final model's precision and recall on the test split."""

from pathlib import Path

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.report import curves

with logs.logged(snakemake.log[0]):
    i, o = snakemake.input, snakemake.output
    run = files.read_json(i.final)["run"]
    found = predictions.of_run(Path(i.final).parent, run, snakemake.params.test)
    for path, frame in [
        (o.training, curves.training(curves.read([*i.top_models, *i.finetuned]))),
        (o.average_precision, curves.average_precision(found.truth, found.scores, LabelMatrix.load(i.labels).classes)),
        (o.precision_recall, curves.precision_recall(found.truth, found.scores)),
    ]:
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")
