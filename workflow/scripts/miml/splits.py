"""Train linear classifiers on some of the random splits, and apply them to the rest of each."""

from multilabel import files, logs
from multilabel.experiments.miml import protocol

with logs.logged(snakemake.log[0]):
    i, o, p = snakemake.input, snakemake.output, snakemake.params
    values, chosen = protocol.evaluate(protocol.load(i.features, i.labels), p.numbers, **p.settings)
    protocol.save_values(o.decisions, values)
    with files.complete_or_absent(o.chosen) as temporary:
        chosen.to_csv(temporary, index=False)
