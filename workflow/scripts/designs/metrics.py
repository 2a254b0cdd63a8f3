"""Write the metrics of the runs on images, with thresholds from validation images."""

from multilabel import files, logs
from multilabel.evaluation import all_metrics, predictions

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    scores = iter(i.scores)
    for path in snakemake.output:
        validation, test = (predictions.load_with_truth(next(scores), labels) for labels in i.labels)
        files.write_json(path, all_metrics.of_run(test, validation, k=p.k))
