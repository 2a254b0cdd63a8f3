"""Write Table 3 and draw Fig. 7: ranked predictions for example images."""

from pathlib import Path

import numpy as np
from PIL import Image

from multilabel import files, logs
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions
from multilabel.report import examples, figures, tables

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    run = files.read_json(snakemake.input.final)["run"]
    labels = LabelMatrix.load(snakemake.input.labels)
    test = predictions.of_run(Path(snakemake.input.final).parent, run, p.test)
    rows = examples.rows_of(test, p.image_ids)
    names = [f"Fig. 7{letter}" for letter in "abcdefghij"[: len(rows)]]
    frame = examples.table(test.truth, test.scores, labels.classes, rows, names)
    shown, bold = examples.side_by_side(frame)
    tables.write_table(
        frame,
        Path(snakemake.output.table[0]).with_suffix(""),
        f"Ranked predictions of {run} for Fig. 7. True labels are bold.",
        shown=shown,
        bold=bold,
    )
    file_name = dict(zip(labels.image_id.tolist(), labels.file_name, strict=True))
    images = [Path(snakemake.input.images) / file_name[int(image)] for image in test.image_id[rows]]
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in images]
    ranked = [examples.ranked_predictions(test.truth[row], test.scores[row], labels.classes) for row in rows]
    figures.save(figures.examples(pictures, ranked), Path(snakemake.output.figure[0]).with_suffix(""))
