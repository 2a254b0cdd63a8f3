"""A page on which any two of the methods are compared, image by image."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from multilabel.evaluation import decisions
from multilabel.experiments.comparison import protocol
from multilabel.experiments.comparison.protocol import Labels
from multilabel.files import read_json
from multilabel.methods import Method
from multilabel.report import image_comparison
from multilabel.report.image_comparison import Model


def write(
    path: str | Path,
    methods: Mapping[str, Method],
    results: str | Path,
    chosen: str | Path,
    label_files: tuple[str | Path, str | Path],
    images: str | Path,
    *,
    dataset: str,
    size: int,
    seed: int,
    workers: int,
) -> None:
    """Write the page: methods by their mAP on validation images, so that it opens with the best two.

    Args:
        path: the HTML file.
        methods: those that it has, by name.
        results: the folder of the dataset's results.
        chosen: `chosen.json` of the comparison.
        label_files: of val and test.
        images: the folder of the test images.
        dataset: its name.
        size: rows of labels, of one image by one method, at most; of more images, a random part is shown.
        seed: of that part.
        workers: threads that make thumbnails.

    Raises:
        ValueError: fewer than two methods.
    """
    labels, entries = Labels.load(*label_files), read_json(chosen)["methods"]
    order = sorted(methods, key=lambda name: -entries[name]["validation_mean_average_precision"])
    models, image_id = [], np.empty(0, np.int64)
    for name in order:
        run = methods[name].candidates[entries[name]["candidate"]][0]
        validation, test = (
            protocol.scored(Path(results, run.scores(split)), matrix)
            for split, matrix in (("val", labels.val), ("test", labels.test))
        )
        thresholds = decisions.cardinality_thresholds(validation.scores, validation.truth)
        models.append(Model(methods[name].title, test.scores, thresholds))
        image_id = test.image_id
    most = max(1, size // max(1, len(models)))
    shown = np.arange(len(image_id))
    if len(shown) > most:
        shown = np.sort(np.random.default_rng(seed).permutation(len(image_id))[:most])
    image_comparison.write(
        path,
        f"{dataset}: {len(models)} methods, {len(shown):,} test images",
        "A label is predicted where its score reaches the threshold of its class, found on validation images for each "
        "method. Bold labels are true.",
        labels=labels.test.subset(labels.test.rows_of(image_id[shown], name=str(label_files[1]), other=str(path))),
        images=images,
        models=[model._replace(scores=np.asarray(model.scores)[shown]) for model in models],
        workers=workers,
    )
