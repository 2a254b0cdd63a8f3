"""Write the metrics of a run on the test split, and on the validation split by which models are chosen."""

from multilabel import files, logs
from multilabel.evaluation import all_metrics, predictions

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    test = predictions.load_with_truth(i.scores, i.labels, unlabelled=p.unlabelled)
    validation = predictions.load_with_truth(i.validation_scores, i.validation_labels, unlabelled=p.unlabelled)
    files.write_json(snakemake.output[0], all_metrics.of_run(test, validation, k=p.k))
