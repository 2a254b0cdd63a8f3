"""Write the metrics of a run on the test split, and on the validation split by which models are chosen."""

from multilabel import files, logs
from multilabel.evaluation import predictions

with logs.logged(snakemake.log[0]):
    test = predictions.load_with_truth(snakemake.input.scores, snakemake.input.labels)
    validation = predictions.load_with_truth(snakemake.input.validation_scores, snakemake.input.validation_labels)
    files.write_json(snakemake.output[0], predictions.metrics_of(test, validation, k=snakemake.params.k))
