"""Write the list of the images that labels name, with their checksums."""

from multilabel import logs
from multilabel.datasets import image_list
from multilabel.datasets.labels import LabelMatrix

with logs.logged(snakemake.log[0]):
    i, p = snakemake.input, snakemake.params
    image_list.write(
        snakemake.output[0],
        i.images,
        LabelMatrix.load(i.labels).file_name,
        memory=p.memory,
        since=p.changes,
        workers=snakemake.threads,
    )
