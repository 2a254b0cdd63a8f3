"""Complete the feature files of a split that several jobs have filled."""

from multilabel import logs

with logs.logged(snakemake.log[0]):
    from multilabel.features import parts

    outputs = dict(zip(map(tuple, snakemake.params.designs), snakemake.output.features, strict=True))
    parts.gather(outputs, snakemake.input, skipped=snakemake.output.skipped)
