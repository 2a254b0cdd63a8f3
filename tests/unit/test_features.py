import csv
import json

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from multilabel import backbones, features, images
from multilabel.images import ChannelStatistics, DamagedImagesError
from multilabel.labels import LabelMatrix

SIZE, COUNT = 64, 7
READING = {"workers": 2, "damaged": "stop"}
STATISTICS = ChannelStatistics((100.0, 110.0, 120.0), (50.0, 60.0, 70.0))
DESIGNS = [("inet", "avg"), *(("zmuvs", pooling) for pooling in ("77", "avg", "max")), ("zmuvf", "max")]


@pytest.fixture(scope="module")
def base():
    return backbones.build("VGG16", width=1 / 16, input_size=SIZE, seed=0)


@pytest.fixture(scope="module")
def labels():
    ids = [50, 3, 17, 2, 90, 41, 8]
    return LabelMatrix(ids, [f"{key}.png" for key in ids], ("a", "b"), np.ones((COUNT, 2)))


def write_images(folder, labels):
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 50, 40, 3), dtype=np.uint8)
    for name, image in zip(labels.file_name, pixels, strict=True):
        Image.fromarray(image).save(folder / name)
    return folder


@pytest.fixture
def folder(tmp_path, labels):
    return write_images(tmp_path / "images", labels)


def extract(labels, folder, base, place, **changes):
    """Extract all designs into a folder; gives their files."""
    outputs = {design: place / f"{'_'.join(design)}.h5" for design in DESIGNS}
    options = {
        "skipped": place / "skipped.csv",
        "batch_size": 3,
        "reading": READING,
        "statistics": STATISTICS,
        "provenance": {"base": "narrow", "inputs": {}},
        "report": lambda line: None,
    }
    features.extract(labels, folder, base, outputs, **(options | changes))
    return outputs


@pytest.fixture(scope="module")
def extracted(tmp_path_factory, labels, base):
    """The files of all designs from one pass."""
    place = tmp_path_factory.mktemp("features")
    return extract(labels, write_images(place / "images", labels), base, place)


def load(extracted, *design):
    return features.load(extracted[design]).features


def test_one_pass_writes_all_designs(extracted):
    found = {design: load(extracted, *design) for design in DESIGNS}
    assert {design: (values.shape, values.dtype.name) for design, values in found.items()} == {
        design: ((COUNT, 2 * 2 * 32), "float16") if design[1] == "77" else ((COUNT, 32), "float32")
        for design in DESIGNS
    }


def test_every_image_is_decoded_once_whatever_the_number_of_designs(labels, folder, base, tmp_path, monkeypatch):
    decoded = []
    decode = images.decode
    monkeypatch.setattr(images, "decode", lambda path, size: decoded.append(path.name) or decode(path, size))
    extract(labels, folder, base, tmp_path)
    assert sorted(decoded) == sorted(labels.file_name)


@pytest.mark.parametrize(("pooling", "pool"), [("avg", np.mean), ("max", np.max)])
def test_pooled_features_equal_pooling_of_the_feature_map(extracted, pooling, pool):
    feature_map = load(extracted, "zmuvs", "77").astype(np.float32).reshape(COUNT, 2, 2, 32)
    found = load(extracted, "zmuvs", pooling)
    assert found.any()
    np.testing.assert_allclose(found, pool(feature_map, axis=(1, 2)), rtol=1e-3, atol=1e-6)  # the map is float16


@pytest.mark.parametrize("design", [("inet", "avg"), ("zmuvs", "avg"), ("zmuvf", "max")])
def test_features_are_those_of_the_network_on_the_normalised_image(extracted, labels, folder, base, design):
    kind, pooling = design
    pool = {"avg": keras.layers.GlobalAveragePooling2D(), "max": keras.layers.GlobalMaxPooling2D()}[pooling]
    pixels = np.stack([images.decode(folder / name, (SIZE, SIZE)) for name in labels.file_name])
    expected = pool(base(images.normalise(pixels, kind, STATISTICS)))
    np.testing.assert_allclose(load(extracted, *design), expected, rtol=1e-4, atol=1e-5)


def test_rows_carry_the_ids_of_their_images(extracted, labels):
    for path in extracted.values():
        assert features.load(path).image_id.tolist() == labels.image_id.tolist()


def test_a_file_says_where_it_comes_from(extracted):
    with h5py.File(extracted["inet", "avg"]) as file:
        assert json.loads(file.attrs["provenance"]) == {"base": "narrow", "inputs": {}}


def test_the_same_images_give_the_same_bytes(extracted, labels, folder, base, tmp_path):
    for design, path in extract(labels, folder, base, tmp_path).items():
        assert path.read_bytes() == extracted[design].read_bytes(), design


def test_the_log_ends_with_the_number_of_images_and_the_rate(labels, folder, base, tmp_path):
    lines = []
    extract(labels, folder, base, tmp_path, report=lines.append)
    assert lines[-1].startswith("7 of 7 images in ")
    assert lines[-1].endswith(" images/s")


# Damaged images


def test_all_damaged_images_are_named_and_nothing_is_written(labels, folder, base, tmp_path):
    (folder / "17.png").write_bytes(b"")
    (folder / "41.png").unlink()
    (folder / "8.png").write_bytes((folder / "8.png").read_bytes()[:500])
    place = tmp_path / "features"
    with pytest.raises(DamagedImagesError) as caught:
        extract(labels, folder, base, place)
    assert [path.name for path, _ in caught.value.problems] == ["17.png", "41.png", "8.png"]
    assert list(place.iterdir()) == []


def test_skipped_images_are_left_out_and_recorded(labels, folder, base, tmp_path):
    (folder / "50.png").write_bytes(b"")
    (folder / "41.png").unlink()
    outputs = extract(labels, folder, base, tmp_path, reading={"workers": 2, "damaged": "skip"})
    for path in outputs.values():
        assert features.load(path).image_id.tolist() == [3, 17, 2, 90, 8]
    with (tmp_path / "skipped.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"path": str(folder / "50.png"), "reason": "empty file"},
        {"path": str(folder / "41.png"), "reason": "no such file"},
    ]


def test_features_of_the_images_that_are_left_are_unchanged(labels, folder, base, tmp_path, extracted):
    (folder / "17.png").unlink()
    outputs = extract(labels, folder, base, tmp_path, reading={"workers": 2, "damaged": "skip"})
    whole = np.delete(load(extracted, "zmuvs", "avg"), 2, axis=0)
    np.testing.assert_allclose(load(outputs, "zmuvs", "avg"), whole, rtol=1e-5, atol=1e-6)


def test_with_no_image_skipped_the_record_has_its_header_alone(labels, folder, base, tmp_path):
    extract(labels, folder, base, tmp_path)
    assert (tmp_path / "skipped.csv").read_text() == "path,reason\n"


def test_no_readable_image_at_all_is_an_error_and_nothing_is_written(labels, base, tmp_path):
    with pytest.raises(ValueError, match=rf"^{tmp_path}: expected at least one readable image of 7, found none"):
        extract(labels, tmp_path, base, tmp_path / "features", reading={"workers": 2, "damaged": "skip"})
    assert list((tmp_path / "features").iterdir()) == []


# Reading


@pytest.mark.parametrize("damage", ["missing", "truncated", "without image_id"])
def test_a_damaged_feature_file_is_named_with_what_to_do(extracted, tmp_path, damage):
    path = tmp_path / "train_zmuvs_avg.h5"
    content = extracted["zmuvs", "avg"].read_bytes()
    if damage != "missing":
        path.write_bytes(content[: 2 * len(content) // 3] if damage == "truncated" else content)
    if damage == "without image_id":
        with h5py.File(path, "r+") as file:
            del file["image_id"]
    with pytest.raises(ValueError, match=rf"^{path}: expected HDF5 with image_id and features; .*Remove it"):
        features.load(path)
