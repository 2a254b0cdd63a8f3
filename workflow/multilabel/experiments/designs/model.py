"""The best run of Model 3: as a model file, as the network of one, and as a page of its test images."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multilabel import export, files, provenance
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions, predictions
from multilabel.report import gallery

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

CRITERION = "mean_average_precision"
PREPROCESS = "unit"
"""What a model file says of its normalisation: pixels from 0 to 1."""


def network(model: export.Model) -> "tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]":
    """The Keras model, images from 0 to 1 → outputs, and a function from its images to scores; see `export.network`.

    Raises:
        ValueError: the weights are damaged or do not fit.
    """
    import tensorflow as tf

    from multilabel.experiments.designs import prediction
    from multilabel.experiments.designs.networks import Sizes, build
    from multilabel.networks import backbones

    network_ = build(len(model.classes), Sizes(**model.base), seed=0)
    backbones.load_weights(network_, model.path)
    activation = prediction.objective_of(model.run).activation

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return activation(network_(tf.cast(pixels, tf.float32) / 255, training=False))

    return network_, scores


def write(
    folder: Path,
    metric_files: Mapping[str, str],
    label_files: Mapping[str, str],
    *,
    images: str | Path,
    dataset: str,
    sizes: Mapping[str, Any],
    path: str | Path,
    gallery_path: str | Path,
) -> None:
    """Choose the run with the highest mAP on validation images; write its model file and its page.

    Args:
        folder: with `runs/{run}` and `predictions/{run}`.
        metric_files: run → its metrics.
        label_files: of val and test.
        images: the folder of the test images.
        dataset: its name.
        sizes: of the network, see `networks.Sizes`.
        path: the model file.
        gallery_path: the page.
    """
    chosen: dict[str, Any] = predictions.choose(metric_files, CRITERION)
    run = chosen["run"]
    scores = {split: folder / "predictions" / run / f"{split}.h5" for split in label_files}
    validation = predictions.load_with_truth(scores["val"], label_files["val"])
    thresholds = decisions.cardinality_thresholds(validation.scores, validation.truth)
    labels = LabelMatrix.load(label_files["test"])
    export.save(
        path,
        folder / "runs" / run / "best.weights.h5",
        experiment="designs",
        run=run,
        base=sizes,
        preprocess=PREPROCESS,
        classes=labels.classes,
        thresholds=thresholds,
        statistics=None,
        provenance={
            "run": files.read_json(folder / "runs" / run / "run.json"),
            "chosen_by": {"criterion": CRITERION, "value": chosen["values"][run]},
            "thresholds": {
                "from": "as many images predicted per class as have it",
                "images": len(validation.truth),
                "inputs": provenance.digests([label_files["val"], scores["val"]]),
            },
        },
    )
    image_id, values = predictions.load(scores["test"])
    shown = labels.subset(labels.rows_of(image_id, name=str(label_files["test"]), other=str(scores["test"])))
    gallery.write(
        gallery_path,
        f"{dataset}: {len(shown):,} test images",
        f"Run {run}. A label is predicted where its score reaches the threshold of its class, found on validation "
        "images. Bold labels are true.",
        labels=shown,
        images=images,
        thresholds=thresholds,
        scores=values,
    )
