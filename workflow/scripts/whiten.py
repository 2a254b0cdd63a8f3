"""Write whitened features of all splits; the transform is that of the training images."""

from multilabel import logs

with logs.logged(snakemake.log[0]):
    from threadpoolctl import threadpool_limits

    from multilabel.features import whitening

    with threadpool_limits(1):  # sums in another order differ in the last digits
        transform = whitening.fit(snakemake.input[0], snakemake.params.epsilon)
        for source, target in zip(snakemake.input, snakemake.output, strict=True):
            whitening.apply(transform, source, target)
