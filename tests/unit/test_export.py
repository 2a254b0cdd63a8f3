import json
import shutil

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions
from multilabel.experiments.transfer import finetune, runs, top_models
from multilabel.images.decode import decode
from multilabel.networks import backbones

NAME = "tiny_set_zmuvf_avg_1x8d5_lr11_b4_15_lr13_b4_hwrszf"
BASE = {"network": "VGG16", "options": {}, "width": 1 / 16, "input_size": 32, "seed": 0}
CLASSES = ("cat", "dog", "µ-organism")
STATISTICS = {"mean": [100.0, 120.0, 90.0], "std": [60.0, 50.0, 70.0]}
THRESHOLDS = [0.4, 0.5, 0.6]
COUNT = 5


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The weights file of a run that was never trained."""
    path = tmp_path_factory.mktemp("tiny") / NAME / "best.weights.h5"
    path.parent.mkdir()
    run, base = runs.parse(NAME), backbones.build(**BASE)
    finetune.build(base, run, top_models.build(run.top_model, 32, len(CLASSES), seed=1)).save_weights(path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Images of noise of several sizes."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(COUNT):
        pixels = rng.integers(0, 256, (40 + 7 * number, 90 - 11 * number, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def save(path, weights, **changes):
    content = {
        "experiment": "transfer",
        "run": NAME,
        "base": BASE,
        "preprocess": "zmuvf",
        "classes": CLASSES,
        "thresholds": THRESHOLDS,
        "statistics": STATISTICS,
        "provenance": {"run": {"code": "0123"}},
    }
    export.save(path, weights, **content | changes)
    return path


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory):
    return save(tmp_path_factory.mktemp("model") / "model.h5", weights)


@pytest.fixture(scope="module")
def saved_model(file, tmp_path_factory):
    """The folder of the SavedModel, and how far its scores are from the model's."""
    folder = tmp_path_factory.mktemp("saved") / "saved_model"
    return folder, export.save_tensorflow(export.load(file), folder)


def decoded(photos, size=(32, 32)):
    return np.stack([decode(path, size) for path in sorted(photos.iterdir())])


# The file


def test_a_model_file_says_what_it_is(file):
    model = export.load(file)
    assert (model.run, model.base, model.classes, model.size) == (NAME, BASE, CLASSES, (32, 32))
    assert model.thresholds.tolist() == THRESHOLDS
    assert model.statistics._asdict() == STATISTICS
    assert model.provenance == {"run": {"code": "0123"}}


def test_the_description_names_the_preprocessing(file):
    assert json.loads(export.describe(file))["preprocess"]["normalise"] == "zmuvf"


def test_the_same_content_gives_the_same_bytes(file, weights, tmp_path):
    assert save(tmp_path / "again.h5", weights).read_bytes() == file.read_bytes()


def test_scores_are_those_of_the_workflow(file, weights, photos, tmp_path):
    (tmp_path / "statistics.json").write_text(json.dumps(STATISTICS))
    names = [f"{number}.png" for number in range(COUNT)]
    LabelMatrix(np.arange(COUNT), names, CLASSES, np.zeros((COUNT, 3))).save(tmp_path / "labels.h5")
    ((_, expected),) = finetune.predict(
        weights,
        [(str(tmp_path / "labels.h5"), str(photos))],
        base=BASE,
        statistics=str(tmp_path / "statistics.json"),
        reading={"workers": 1, "damaged": "stop"},
    )
    np.testing.assert_allclose(export.scorer(export.load(file))(decoded(photos)), expected, rtol=0, atol=1e-6)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5: no such model file"):
        export.load(tmp_path / "nothing.h5")


def test_a_folder_is_no_model_file(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"expected a model file, such as .*, found a folder"):
        export.load(tmp_path)


def test_a_foreign_file_is_an_error(photos):
    with pytest.raises(ValueError, match=r"0\.png: expected a model file, found no whole HDF5 file"):
        export.load(photos / "0.png")


def test_weights_alone_are_no_model(weights):
    with pytest.raises(ValueError, match=r"best\.weights\.h5: expected a model file, found HDF5 with layers, vars"):
        export.load(weights)


@pytest.mark.parametrize("version", [1, 3])
def test_another_format_version_is_an_error_that_names_both(file, tmp_path, version):
    other = shutil.copy(file, tmp_path / "other.h5")
    with h5py.File(other, "r+") as content:
        content.attrs["format_version"] = version
    with pytest.raises(ValueError, match=rf"other\.h5: expected .* version 2, found version {version}\. Make it"):
        export.load(other)


def test_a_file_that_was_cut_short_is_an_error(file, tmp_path):
    (tmp_path / "short.h5").write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"short\.h5: expected a model file, found no whole HDF5 file"):
        export.load(tmp_path / "short.h5")


def test_a_file_without_its_description_is_an_error(file, tmp_path):
    other = shutil.copy(file, tmp_path / "other.h5")
    with h5py.File(other, "r+") as content:
        del content["description"]
    with pytest.raises(ValueError, match=r"other\.h5: damaged.*description"):
        export.load(other)


def test_a_threshold_too_few_is_an_error(weights, tmp_path):
    path = save(tmp_path / "model.h5", weights, thresholds=[0.5])
    with pytest.raises(ValueError, match=r"model\.h5: expected one threshold for each of 3 classes"):
        export.load(path)


def test_a_changed_weight_is_found(file, tmp_path):
    with h5py.File(file) as content:
        kernel = content["layers/conv2d/vars/0"]
        place = kernel.id.get_chunk_info(0).byte_offset
    changed = bytearray(file.read_bytes())
    changed[place + 5] ^= 1
    (tmp_path / "changed.h5").write_bytes(changed)
    with pytest.raises(ValueError, match=r"changed\.h5"):
        export.network(export.load(tmp_path / "changed.h5"))


# The SavedModel


def test_a_saved_model_takes_images_of_any_size_and_gives_the_same_scores(saved_model, file, photos):
    serve, score = tf.saved_model.load(saved_model[0]).signatures["serving_default"], export.scorer(export.load(file))
    for path in sorted(photos.iterdir()):
        expected = score(decode(path, (32, 32))[None])
        served = serve(images=tf.constant(np.asarray(Image.open(path))[None]))
        np.testing.assert_allclose(served["scores"].numpy(), expected, rtol=0, atol=export.AGREEMENT)
        assert (served["predicted"].numpy() == decisions.threshold(served["scores"].numpy(), THRESHOLDS)).all()


def test_the_difference_of_the_scores_is_measured(saved_model):
    assert 0 <= saved_model[1] < 1e-6


def test_a_saved_model_has_its_description_beside_it(saved_model, file):
    assert (saved_model[0] / "assets.extra/description.json").read_text() == export.describe(file)


def test_an_existing_folder_is_left_alone(file, tmp_path):
    with pytest.raises(FileExistsError, match="does not exist yet"):
        export.save_tensorflow(export.load(file), tmp_path)


@pytest.mark.parametrize("shape", [(33, 70), (32, 32), (480, 640), (9, 200), (90, 20), (1, 1)])
@pytest.mark.parametrize("size", [(32, 32), (48, 20)])
def test_images_are_resized_as_files_are(shape, size, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    assert (export.resize(pixels[None], size).numpy()[0] == decode(tmp_path / "image.png", size)).all()
