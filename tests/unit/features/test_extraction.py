import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from multilabel.datasets.labels import LabelMatrix
from multilabel.features import extraction, files, parts
from multilabel.images import decode
from multilabel.images.decode import DamagedImagesError
from multilabel.images.normalise import ChannelStatistics, normalise
from multilabel.networks import backbones

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
    extraction.extract(labels, folder, base, outputs, **(options | changes))
    return outputs


@pytest.fixture(scope="module")
def extracted(tmp_path_factory, labels, base):
    """The files of all designs from one pass."""
    place = tmp_path_factory.mktemp("features")
    return extract(labels, write_images(place / "images", labels), base, place)


def load(extracted, *design):
    return files.load(extracted[design]).features


def test_one_pass_writes_all_designs(extracted):
    found = {design: load(extracted, *design) for design in DESIGNS}
    assert {design: (values.shape, values.dtype.name) for design, values in found.items()} == {
        design: ((COUNT, 2 * 2 * 32), "float16") if design[1] == "77" else ((COUNT, 32), "float32")
        for design in DESIGNS
    }


def test_every_image_is_decoded_once_whatever_the_number_of_designs(labels, folder, base, tmp_path, monkeypatch):
    names = decoded(monkeypatch)
    extract(labels, folder, base, tmp_path)
    assert sorted(names) == sorted(labels.file_name)


@pytest.mark.parametrize(("pooling", "pool"), [("avg", np.mean), ("max", np.max)])
def test_pooled_features_equal_pooling_of_the_feature_map(extracted, pooling, pool):
    feature_map = load(extracted, "zmuvs", "77").astype(np.float32).reshape(COUNT, 2, 2, 32)
    found = load(extracted, "zmuvs", pooling)
    assert found.any()
    np.testing.assert_allclose(found, pool(feature_map, axis=(1, 2)), rtol=1e-3, atol=1e-6)  # the map is float16


@pytest.mark.parametrize("design", [("inet", "avg"), ("zmuvs", "avg"), ("zmuvf", "max")])
def test_extraction_are_those_of_the_network_on_the_normalised_image(extracted, labels, folder, base, design):
    kind, pooling = design
    pool = {"avg": keras.layers.GlobalAveragePooling2D(), "max": keras.layers.GlobalMaxPooling2D()}[pooling]
    pixels = np.stack([decode.decode(folder / name, (SIZE, SIZE)) for name in labels.file_name])
    expected = pool(base(normalise(pixels, kind, STATISTICS)))
    np.testing.assert_allclose(load(extracted, *design), expected, rtol=1e-4, atol=1e-5)


def test_rows_carry_the_ids_of_their_images(extracted, labels):
    for path in extracted.values():
        assert files.load(path).image_id.tolist() == labels.image_id.tolist()


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
    assert not place.exists()


def test_skipped_images_are_left_out_and_recorded(labels, folder, base, tmp_path):
    (folder / "50.png").write_bytes(b"")
    (folder / "41.png").unlink()
    outputs = extract(labels, folder, base, tmp_path, reading={"workers": 2, "damaged": "skip"})
    for path in outputs.values():
        assert files.load(path).image_id.tolist() == [3, 17, 2, 90, 8]
    with (tmp_path / "skipped.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"path": str(folder / "50.png"), "reason": "empty file"},
        {"path": str(folder / "41.png"), "reason": "no such file"},
    ]


def test_extraction_of_the_images_that_are_left_are_unchanged(labels, folder, base, tmp_path, extracted):
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
    assert not (tmp_path / "features").exists()


# Interrupted and started again


class KilledError(Exception):
    pass


def kill(*signals, after):
    """A `save` of the journal that ends the job after so many times: by a signal, or by an error without one."""
    save, times = parts.Part.save, []

    def saved(part):
        save(part)
        times.append(part.done)
        if len(times) == after and signals:
            os.kill(os.getpid(), *signals)
        if len(times) == after:
            raise KilledError

    return saved


@pytest.fixture
def always_saved(monkeypatch):
    monkeypatch.setattr(parts, "SAVE_SECONDS", 0.0)


def interrupted(monkeypatch, *arguments, after=1, **changes):
    """Extraction that ends after some batches; gives the files of its state."""
    with monkeypatch.context() as patch:
        patch.setattr(parts.Part, "save", kill(after=after))
        with pytest.raises(KilledError):
            extract(*arguments, **changes)
    return sorted(arguments[-1].glob(".*"))


def decoded(monkeypatch):
    """The names of the images that are decoded from now on."""
    names, one = [], decode.decode
    monkeypatch.setattr(decode, "decode", lambda path, size, **how: names.append(path.name) or one(path, size, **how))
    return names


def killed_extraction(folder, place):
    """What a subprocess runs: it kills itself once two batches are done."""
    parts.SAVE_SECONDS = 0.0
    parts.Part.save = kill(signal.SIGKILL, after=2)
    matrix = LabelMatrix.load(Path(place) / "labels.h5")
    extract(matrix, Path(folder), backbones.build("VGG16", width=1 / 16, input_size=SIZE, seed=0), Path(place))


def test_extraction_killed_by_a_signal_goes_on_and_ends_in_the_same_bytes(
    extracted, labels, folder, base, tmp_path, monkeypatch
):
    place = tmp_path / "features"
    labels.save(place / "labels.h5")
    call = f"import test_extraction; test_extraction.killed_extraction({str(folder)!r}, {str(place)!r})"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    killed = subprocess.run([sys.executable, "-c", call], env=os.environ | {"PYTHONPATH": path}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in place.iterdir() if path.name[0] != "."] == ["labels.h5"]

    names, lines = decoded(monkeypatch), []
    outputs = extract(labels, folder, base, place, report=lines.append)
    assert lines[0] == "extraction goes on after image 6 of 7"
    assert names == [labels.file_name[-1]]
    for design, path in outputs.items():
        assert path.read_bytes() == extracted[design].read_bytes(), design


def test_the_state_of_finished_extraction_is_removed(extracted):
    place = extracted["inet", "avg"].parent
    assert [path.name for path in place.rglob(".*")] == []


@pytest.mark.parametrize(
    "changes",
    [{"batch_size": 2}, {"provenance": {"base": "other"}}, {"statistics": ChannelStatistics((1.0,) * 3, (1.0,) * 3)}],
)
@pytest.mark.usefixtures("always_saved")
def test_state_of_another_key_is_removed_and_not_used(labels, folder, base, tmp_path, monkeypatch, changes):
    place = tmp_path / "features"
    interrupted(monkeypatch, labels, folder, base, place)
    names = decoded(monkeypatch)
    extract(labels, folder, base, place, **changes)
    assert sorted(names) == sorted(labels.file_name)
    assert list(place.glob(".*")) == []


@pytest.mark.usefixtures("always_saved")
def test_state_of_other_weights_is_not_used(labels, folder, base, tmp_path, monkeypatch):
    place = tmp_path / "features"
    interrupted(monkeypatch, labels, folder, backbones.build("VGG16", width=1 / 16, input_size=SIZE, seed=1), place)
    names = decoded(monkeypatch)
    extract(labels, folder, base, place)
    assert len(names) == COUNT


def cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    """Of the first image's features, or in the middle of a file without."""
    content, place = bytearray(path.read_bytes()), path.stat().st_size // 2
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            place = file["features"].id.get_offset()
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut_short, flip_a_bit, Path.unlink])
@pytest.mark.parametrize("name", ["from0.json", "zmuvs_77.h5", "inet_avg.h5"])
@pytest.mark.usefixtures("always_saved")
def test_damaged_state_is_named_and_extraction_starts_over(
    extracted, labels, folder, base, tmp_path, monkeypatch, name, damage
):
    place = tmp_path / "features"
    (path,) = (path for path in interrupted(monkeypatch, labels, folder, base, place) if path.name.endswith(name))
    damage(path)
    names, lines = decoded(monkeypatch), []
    outputs = extract(labels, folder, base, place, report=lines.append)
    assert len(names) == COUNT
    if path.exists() or name != "from0.json":
        assert "unusable state" in lines[0]
    for design, file in outputs.items():
        assert file.read_bytes() == extracted[design].read_bytes(), design


@pytest.mark.usefixtures("always_saved")
def test_extraction_of_images_that_changed_meanwhile_are_made_again(
    extracted, labels, folder, base, tmp_path, monkeypatch
):
    place = tmp_path / "features"
    interrupted(monkeypatch, labels, folder, base, place)
    Image.new("RGB", (60, 60), "red").save(folder / labels.file_name[0])
    lines = []
    outputs = extract(labels, folder, base, place, report=lines.append)
    assert "images have changed" in lines[0]
    assert (load(outputs, "inet", "avg")[0] != load(extracted, "inet", "avg")[0]).any()


@pytest.mark.usefixtures("always_saved")
def test_extraction_that_damaged_images_stopped_goes_on_once_they_are_repaired(
    extracted, labels, folder, base, tmp_path, monkeypatch
):
    path = folder / labels.file_name[4]
    content = path.read_bytes()
    path.write_bytes(b"")
    with pytest.raises(DamagedImagesError):
        extract(labels, folder, base, tmp_path)
    path.write_bytes(content)
    names = decoded(monkeypatch)
    for design, file in extract(labels, folder, base, tmp_path).items():
        assert file.read_bytes() == extracted[design].read_bytes(), design
    assert sorted(names) == sorted(labels.file_name[3:])


@pytest.mark.usefixtures("always_saved")
def test_images_skipped_before_an_interruption_stay_recorded(labels, folder, base, tmp_path, monkeypatch):
    for row in (0, 4):
        (folder / labels.file_name[row]).unlink()
    skip = {"reading": {"workers": 2, "damaged": "skip"}}
    whole = extract(labels, folder, base, tmp_path / "whole", **skip)
    interrupted(monkeypatch, labels, folder, base, tmp_path / "parts", **skip)
    resumed = extract(labels, folder, base, tmp_path / "parts", **skip)
    for design, path in resumed.items():
        assert path.read_bytes() == whole[design].read_bytes(), design
    assert (tmp_path / "parts" / "skipped.csv").read_text() == (tmp_path / "whole" / "skipped.csv").read_text()


# Parts


def extract_parts(labels, folder, base, place, count, **changes):
    """Extract in parts; gives the files and the records of the parts."""
    outputs = {design: place / f"{'_'.join(design)}.h5" for design in DESIGNS}
    options = {"skipped": place / "skipped.csv", "batch_size": 2, "reading": READING, "statistics": STATISTICS}
    options |= {"provenance": {"base": "narrow", "inputs": {}}, "report": lambda line: None}
    records = []
    place.mkdir(exist_ok=True)
    for index in reversed(range(count)):
        record = extraction.extract_part(labels, folder, base, outputs, part=(index, count), **(options | changes))
        records.append(place / f"{index}of{count}.json")
        records[-1].write_text(json.dumps(record))
    return outputs, records[::-1]


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("missing", [(), (0, 3, 6)], ids=["whole", "with images left out"])
def test_parts_give_the_bytes_of_a_single_pass(labels, folder, base, tmp_path, count, missing):
    for row in missing:
        (folder / labels.file_name[row]).unlink()
    skip = {"reading": {"workers": 2, "damaged": "skip"}}
    whole = extract(labels, folder, base, tmp_path / "whole", batch_size=2, **skip)
    outputs, records = extract_parts(labels, folder, base, tmp_path / "parts", count, **skip)
    parts.gather(outputs, records, skipped=tmp_path / "parts" / "skipped.csv")
    for design, path in outputs.items():
        assert path.read_bytes() == whole[design].read_bytes(), design
    assert (tmp_path / "parts" / "skipped.csv").read_text() == (tmp_path / "whole" / "skipped.csv").read_text()
    assert list((tmp_path / "parts").glob(".*")) == []


def test_a_damaged_part_is_named_and_made_again(labels, folder, base, tmp_path):
    outputs, records = extract_parts(labels, folder, base, tmp_path, 3)
    (path,) = tmp_path.glob(".*zmuvs_77.h5")
    flip_a_bit(path)
    message = rf"^1 part\(s\) must be made again; run again(?s:.*){records[0]}: {path}: rows 0 to 2"
    with pytest.raises(ValueError, match=message):
        parts.gather(outputs, records, skipped=tmp_path / "skipped.csv")
    assert [record.exists() for record in records] == [False, True, True]
    outputs, records = extract_parts(labels, folder, base, tmp_path, 3)
    parts.gather(outputs, records, skipped=tmp_path / "skipped.csv")
    assert len(files.load(outputs["zmuvs", "77"]).features) == COUNT


# Ways to run the network


@pytest.mark.parametrize(("option", "tolerance"), [("xla", 1e-4), ("mixed_precision", 2e-2)])
def test_options_of_the_network_give_the_same_features(extracted, labels, folder, base, tmp_path, option, tolerance):
    outputs = extract(labels, folder, base, tmp_path / "features", **{option: True})
    for design in DESIGNS:
        expected = load(extracted, *design).astype(np.float32)
        found = load(outputs, *design)
        assert found.dtype == load(extracted, *design).dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * expected.max())
        assert (found != expected).any()


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
        files.load(path)
