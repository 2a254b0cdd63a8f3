"""A finished model as one self-describing file, and as SavedModel: what is used outside of the workflow."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py
import numpy as np

from multilabel.experiments import EXPERIMENTS
from multilabel.files import complete_or_absent
from multilabel.images.normalise import ChannelStatistics

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

FORMAT, VERSION = "multilabel model", 2
MAKE_AGAIN = "Make it again with this version of the project"
REPEATS = 5
"""How often a batch is scored to find out what it takes; the fastest counts."""
AGREEMENT = 1e-4
"""How far the scores of a SavedModel may be from the model's."""
PILLOW_BITS = 22
"""Binary places of the weights with which Pillow resizes 8-bit images."""

Scorer = Callable[[np.ndarray], np.ndarray]
Scores = Callable[["tf.Tensor"], "tf.Tensor"]


class Model(NamedTuple):
    """What a model file says; its weights are read by `network`.

    `run` is the run's name, and `experiment` that of the experiment whose module `model` builds its network; `base` the
    arguments of `backbones.build`, weights apart; `preprocess` the normalisation of the images; `classes` L names;
    `thresholds` L numbers, the lowest score at which each class is predicted; `statistics` the channel statistics that
    `zmuvf` needs; `provenance` where run and thresholds come from; `settings` what the experiment's network is built
    from besides.
    """

    path: Path
    experiment: str
    run: str
    base: Mapping[str, Any]
    preprocess: str
    classes: tuple[str, ...]
    thresholds: np.ndarray
    statistics: ChannelStatistics | None
    provenance: Mapping[str, Any]
    settings: Mapping[str, Any] = MappingProxyType({})

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images that the network takes."""
        return self.base["input_size"], self.base["input_size"]


def save(
    path: str | Path,
    weights: str | Path,
    *,
    experiment: str,
    run: str,
    base: Mapping[str, Any],
    preprocess: str,
    classes: Sequence[str],
    thresholds: Sequence[float] | np.ndarray,
    statistics: Mapping[str, Sequence[float]] | None,
    provenance: Mapping[str, Any],
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a model file: HDF5 with the weights of each layer under `layers`, and the rest as JSON in `description`.

    Weights are stored with checksums. The same content gives the same bytes.

    Args:
        path: the file to write.
        weights: the run's weights as Keras writes them, such as `…/{run}/best.weights.h5`.
        experiment: whose run it is.
        run: the run's name.
        base: arguments of `backbones.build`, weights apart.
        preprocess: the normalisation of the images.
        classes: L names.
        thresholds: one for each class.
        statistics: the channel statistics that `zmuvf` needs.
        provenance: anything that JSON can hold.
        settings: likewise, what the experiment's network is built from besides.
    """
    description = {
        "experiment": experiment,
        "run": run,
        "base": base,
        "preprocess": {
            "colours": "RGB",
            "size": [base["input_size"]] * 2,
            "resize": "bilinear, as Pillow does, aspect ratio not kept",
            "normalise": preprocess,
            "statistics": statistics,
        },
        "classes": list(classes),
        "thresholds": np.asarray(thresholds, np.float64).tolist(),
        "provenance": provenance,
        "settings": dict(settings),
    }
    with (
        complete_or_absent(path) as temporary,
        h5py.File(temporary, "w") as file,
        h5py.File(weights, "r", locking=False) as source,
    ):
        file.attrs["format"], file.attrs["format_version"] = FORMAT, VERSION
        file["description"] = json.dumps(description, indent=2, sort_keys=True, ensure_ascii=False)
        for place, layer in source["layers"].items():
            group = file.create_group(f"layers/{place}/vars")
            group.attrs["name"] = layer["vars"].attrs["name"]
            for index, stored in layer["vars"].items():
                checked = {"chunks": stored.shape, "fletcher32": True} if stored.size and stored.shape else {}
                group.create_dataset(index, data=stored[()], **checked)


def load(path: str | Path) -> Model:
    """Read what a model file says, without its weights and without TensorFlow.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        ValueError: it is damaged, of another format version, or something else; the message says what was found.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such model file")
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a model file, such as results/…/model/….h5, found a folder")
    try:
        with h5py.File(path, "r", locking=False) as file:
            kind, version = file.attrs.get("format"), file.attrs.get("format_version")
            if kind != FORMAT:
                raise ValueError(f"expected a model file, found HDF5 with {', '.join(file) or 'nothing'}")
            if version != VERSION:
                raise ValueError(f"expected a model file of format version {VERSION}, found version {version}")
            content = json.loads(file["description"][()])
        thresholds, statistics = np.array(content["thresholds"], np.float64), content["preprocess"]["statistics"]
        if thresholds.shape != (len(content["classes"]),):
            raise ValueError(f"expected one threshold for each of {len(content['classes'])} classes")
        return Model(
            path,
            content["experiment"],
            content["run"],
            content["base"],
            content["preprocess"]["normalise"],
            tuple(content["classes"]),
            thresholds,
            ChannelStatistics(**statistics) if statistics else None,
            content["provenance"],
            content.get("settings", {}),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: damaged, its description is not whole: {error}. {MAKE_AGAIN}") from error
    except OSError as error:
        raise ValueError(f"{path}: expected a model file, found no whole HDF5 file: {error}. {MAKE_AGAIN}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}. {MAKE_AGAIN}") from error


def network(model: Model) -> tuple["keras.Model", Scores]:
    """The Keras model of a model file, and a function from images, uint8 N×height×width×3 of its size, to its scores.

    Raises:
        ValueError: the weights are damaged or do not fit, or this version has no such experiment; the message names the
            file.
    """
    if model.experiment not in EXPERIMENTS:
        raise ValueError(
            f"{model.path}: expected a model of {', '.join(EXPERIMENTS)}, found {model.experiment!r}. {MAKE_AGAIN}"
        )
    return import_module(f"multilabel.experiments.{model.experiment}.model").network(model)


def scorer(model: Model) -> Scorer:
    """A function from images, uint8 N×height×width×3 of the model's size, to scores N×L, float32."""
    import tensorflow as tf

    _, of_images = network(model)
    scores = tf.function(of_images, input_signature=[tf.TensorSpec([None, *model.size, 3], tf.uint8)], autograph=False)
    return lambda pixels: scores(tf.constant(pixels)).numpy()


def milliseconds(scores: Scores, size: tuple[int, int], *, batch_size: int) -> float:
    """What scoring takes per image, once it is warm: decoded images of a size, in batches, on this machine.

    Args:
        scores: a function of images, as `network` gives it.
        size: their height and width.
        batch_size: images per call.
    """
    import tensorflow as tf

    compiled = tf.function(scores, autograph=False)
    pixels = tf.constant(np.random.default_rng(0).integers(0, 256, (batch_size, *size, 3), np.uint8))
    compiled(pixels)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        compiled(pixels).numpy()
        seconds.append(time.perf_counter() - started)
    return 1000 * min(seconds) / batch_size


@contextmanager
def weights_of(network: "keras.Model") -> Iterator[Path]:
    """The weights of a network in memory as a file that `save` takes, there as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole.weights.h5")
        network.save_weights(path)
        yield path


def save_tensorflow(model: Model, folder: str | Path) -> float:
    """Write a model as TensorFlow's SavedModel, with nothing of this project needed to use it.

    Its signature `serving_default` takes `images`, uint8 RGB N×H×W×3 of any size, and gives `scores`, float32 N×L,
    and `predicted`, whether each score reaches its class's threshold. Resizing and normalisation are inside. The
    description of the model file is in `assets.extra/description.json`.

    Returns:
        The greatest difference to the scores of the model, on random images.

    Raises:
        FileExistsError: there is something at `folder`.
        ValueError: the scores differ by more than `AGREEMENT`.
    """
    import keras
    import tensorflow as tf

    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder}: expected a folder that does not exist yet")
    network_, scores_of = network(model)
    thresholds = tf.constant(model.thresholds)

    def serve(images: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        scores = scores_of(resize(images, model.size))
        return {"scores": scores, "predicted": tf.cast(scores, tf.float64) >= thresholds}

    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        archive = keras.export.ExportArchive()
        archive.track(network_)
        archive.add_endpoint("serve", serve, [tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")])
        archive.write_out(beside, verbose=False)
        (beside / "assets.extra").mkdir()
        (beside / "assets.extra/description.json").write_text(describe(model.path), encoding="utf-8")
        pixels = np.random.default_rng(0).integers(0, 256, (4, *model.size, 3), np.uint8)
        served = tf.saved_model.load(beside).signatures["serving_default"](images=tf.constant(pixels))["scores"]
        difference = float(np.abs(served.numpy() - scores_of(tf.constant(pixels)).numpy()).max())
        if not difference <= AGREEMENT:
            raise ValueError(f"{model.path}: the SavedModel's scores differ by {difference} from those of the model")
        beside.chmod(0o755)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return difference


def describe(path: str | Path) -> str:
    """All of a model file but its weights, as JSON. Raises what `load` does."""
    with h5py.File(load(path).path, "r", locking=False) as file:
        return file["description"].asstr()[()]


def resize(images: "tf.Tensor", size: tuple[int, int]) -> "tf.Tensor":
    """Images, uint8 N×H×W×3, resized exactly as `decode` does by Pillow: rows first, rounded after each axis.

    Pillow's weights are whole numbers of 2⁻²². TensorFlow's own resizing differs by a grey level in many pixels, which
    scores show.
    """
    import tensorflow as tf

    def rounded(values: "tf.Tensor") -> "tf.Tensor":
        return tf.floor(values * 2.0**-PILLOW_BITS + 0.5)

    x = tf.cast(images, tf.float64)
    x = rounded(tf.einsum("nhwc,vw->nhvc", x, _weights(tf.shape(images)[2], size[1])))
    x = rounded(tf.einsum("nhwc,vh->nvwc", x, _weights(tf.shape(images)[1], size[0])))
    return tf.cast(x, tf.uint8)


def _weights(length: "tf.Tensor", wanted: int) -> "tf.Tensor":
    """How much each of `length` pixels counts for each of `wanted` ones: whole numbers of 2⁻²²."""
    import tensorflow as tf

    scale = tf.cast(length, tf.float64) / wanted
    centres = (tf.range(wanted, dtype=tf.float64) + 0.5) * scale
    distances = tf.range(tf.cast(length, tf.float64), dtype=tf.float64) + 0.5 - centres[:, None]
    triangle = tf.maximum(1 - tf.abs(distances / tf.maximum(scale, 1)), 0)
    return tf.floor(triangle / tf.reduce_sum(triangle, axis=1, keepdims=True) * 2.0**PILLOW_BITS + 0.5)
