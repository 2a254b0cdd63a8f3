"""Gather the metrics of all studies on the test images, and all runs of their searches."""

from multilabel import files, logs
from multilabel.experiments.single_positive import results

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    searches = dict(zip(p.studies, map(files.read_json, i.searches), strict=True))
    paths = iter(i.predictions)
    scores = {study: {seed: next(paths) for seed in p.seeds[study.mode]} for study in p.studies}
    table = results.metrics_of(i.labels, searches, scores, ks=p.ks, drop_last=p.drop_last)
    for frame, path in ((table, o.table), (results.searched(searches), o.searched)):
        with files.complete_or_absent(path) as temporary:
            frame.to_csv(temporary, index=False)
    files.write_json(o.json, results.flat(table))
