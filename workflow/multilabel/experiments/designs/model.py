"""The three designs as model files, the network of such a file, and a page of the test images of the best Model 3."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multilabel import export, files
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import predictions, validation
from multilabel.experiments.designs import names
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

    from multilabel.experiments.designs import inference, prediction
    from multilabel.experiments.designs.networks import Sizes, build, build_together, take_apart
    from multilabel.networks import backbones

    count, sizes = len(model.classes), Sizes(**model.base)
    of_one_label = model.run in (names.MODEL_1, names.MODEL_2)
    if of_one_label:
        network_ = build_together(count, sizes, shared=model.run == names.MODEL_2)
    else:
        network_ = build(count, sizes, seed=0)
    backbones.load_weights(network_, model.path)
    if of_one_label:
        outputs, activation = inference.in_one_call(take_apart(network_, count, sizes)), tf.sigmoid
    else:
        outputs, activation = partial(network_, training=False), prediction.objective_of(model.run).activation

    def scores(pixels: tf.Tensor) -> tf.Tensor:
        return activation(outputs(tf.cast(pixels, tf.float32) / 255))

    return network_, scores


def save(
    path: str | Path,
    run: str,
    weights: Sequence[str | Path],
    *,
    record: str | Path,
    validation_scores: str | Path,
    validation_labels: str | Path,
    sizes: Mapping[str, Any],
    provenance: Mapping[str, Any] = MappingProxyType({}),
) -> np.ndarray:
    """Write a run as a model file; a label is predicted for as many validation images as have it.

    Args:
        path: the file to write.
        run: its name.
        weights: of Model 1 and 2, what the jobs that trained the networks left, see `parts`; of Model 3, its
            `best.weights.h5`.
        record: its `run.json`.
        validation_scores: its scores of val.
        validation_labels: the labels of val.
        sizes: of the networks, see `networks.Sizes`.
        provenance: what else the file says of its origin.

    Returns:
        The threshold of each label.
    """
    decided = validation.decided(validation_labels, validation_scores)
    with _weights(run, weights, sizes) as whole:
        export.save(
            path,
            whole,
            experiment="designs",
            run=run,
            base=sizes,
            preprocess=PREPROCESS,
            classes=decided.classes,
            thresholds=decided.thresholds,
            statistics=None,
            provenance={"run": files.read_json(record), "thresholds": decided.origin, **provenance},
        )
    return decided.thresholds


@contextmanager
def _weights(run: str, weights: Sequence[str | Path], sizes: Mapping[str, Any]) -> Iterator[str | Path]:
    """The one file of weights of a run; see `save`."""
    if run not in (names.MODEL_1, names.MODEL_2):
        yield weights[0]
        return
    from multilabel.experiments.designs import networks, parts

    kind = networks.Sizes(**sizes)
    together = networks.put_together(parts.load(weights, kind), kind, shared=run == names.MODEL_2)
    with export.weights_of(together) as path:
        yield path


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
    thresholds = save(
        path,
        run,
        [folder / "runs" / run / "best.weights.h5"],
        record=folder / "runs" / run / "run.json",
        validation_scores=scores["val"],
        validation_labels=label_files["val"],
        sizes=sizes,
        provenance={"chosen_by": {"criterion": CRITERION, "value": chosen["values"][run]}},
    )
    labels = LabelMatrix.load(label_files["test"])
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
