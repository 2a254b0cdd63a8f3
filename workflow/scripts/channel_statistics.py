"""Write mean and deviation of each colour over the training images."""

from pathlib import Path

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.images import decode, normalise

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    paths = [Path(i.images) / name for name in LabelMatrix.load(i.labels).file_name]
    batches = decode.batches(paths, (p.size, p.size), 64, **{**p.reading, **decode.reading(snakemake.config)})
    files.write_json(snakemake.output[0], normalise.channel_statistics(pixels for _, pixels in batches)._asdict())
