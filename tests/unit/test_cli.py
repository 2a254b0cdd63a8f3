import csv
import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image

from multilabel import cli, devices, export
from multilabel.export import Model

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("dark", "red", "blue")


@pytest.fixture(autouse=True)
def model(monkeypatch, tmp_path):
    """A model that needs no network: it scores the darkness, the red and the blue of an image."""

    def score(pixels):
        red, _, blue = np.moveaxis(pixels.mean(axis=(1, 2)) / 255, 1, 0)
        return np.stack([1 - pixels.mean(axis=(1, 2, 3)) / 255, red, blue], axis=1).astype(np.float32)

    loaded = Model(
        tmp_path, "transfer", "a_run", {"input_size": 8}, "inet", CLASSES, np.array([0.9, 0.5, 0.5]), None, {}
    )
    monkeypatch.setattr(export, "load", lambda path: loaded)
    monkeypatch.setattr(export, "scorer", lambda model: score)
    monkeypatch.setattr(devices, "configure", lambda threads: None)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name, colour in {"a.png": (255, 0, 0), "b.JPG": (0, 0, 255), "more/c.png": (200, 0, 200)}.items():
        Image.new("RGB", (20, 10), colour).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def rows(capsys):
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_the_table_shows_ranked_labels_with_decisions(photos, capsys):
    assert cli.main(["predict", "model.h5", str(photos / "a.png")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(photos / "a.png"),
        "  rank  label  score  threshold",
        "     1  red    1.000      0.500  predicted",
        "     2  dark   0.667      0.900",
        "     3  blue   0.000      0.500",
    ]


def test_csv_has_a_row_per_image_and_label(photos, capsys):
    assert cli.main(["predict", "model.h5", str(photos / "a.png"), "--format", "csv"]) == 0
    first = rows(capsys)[0]
    assert list(first.values()) == [str(photos / "a.png"), "1", "red", "1.0", "0.5", "1"]


def test_json_has_an_object_per_image(photos, capsys):
    assert cli.main(["predict", "model.h5", str(photos), "--format", "json", "--top", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["labels"][0]["label"] for entry in found] == ["red", "blue", "red"]
    assert found[0]["labels"] == [{"rank": 1, "label": "red", "score": 1.0, "threshold": 0.5, "predicted": True}]


def test_a_folder_stands_for_the_images_in_it_and_in_folders_below(photos, capsys):
    cli.main(["predict", "model.h5", str(photos), "--format", "csv", "--top", "1"])
    assert [row["image"] for row in rows(capsys)] == [str(photos / name) for name in ("a.png", "b.JPG", "more/c.png")]


def test_paths_come_from_standard_input(photos, capsys, monkeypatch):
    lines = f"{photos / 'b.JPG'}\n\n{photos / 'a.png'}\n".encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    assert cli.main(["predict", "model.h5", "-", "--format", "csv", "--top", "1"]) == 0
    assert [row["image"] for row in rows(capsys)] == [str(photos / "b.JPG"), str(photos / "a.png")]


@pytest.mark.parametrize("size", ["1", "2", "64"])
def test_results_do_not_depend_on_the_batch_size(photos, capsys, size):
    cli.main(["predict", "model.h5", str(photos), "--format", "csv", "--batch-size", size])
    assert [row["label"] for row in rows(capsys)] == [
        "red",
        "dark",
        "blue",
        "blue",
        "dark",
        "red",
        "red",
        "blue",
        "dark",
    ]


def test_the_table_shows_all_that_is_predicted(photos, capsys, monkeypatch):
    monkeypatch.setattr(cli, "SHOWN", 1)
    cli.main(["predict", "model.h5", str(photos / "more/c.png")])
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[2:]] == ["red", "blue"]


def test_bad_images_are_reported_and_the_rest_is_done(photos, capsys):
    bad = photos / "broken.png"
    bad.write_bytes(b"\x89PNG")
    arguments = [str(photos / name) for name in ("a.png", "broken.png", "gone.jpg", "b.JPG")]
    assert cli.main(["predict", "model.h5", *arguments, "--format", "csv", "--top", "1"]) == 1
    output = capsys.readouterr()
    assert [row["image"] for row in csv.DictReader(io.StringIO(output.out))] == [arguments[0], arguments[3]]
    assert output.err.splitlines() == [
        f"multilabel: {bad}: not an image",
        f"multilabel: {photos / 'gone.jpg'}: no such file",
        "multilabel: 2 of 4 image(s) could not be read",
    ]


def test_only_bad_images_still_give_valid_json(photos, capsys):
    assert cli.main(["predict", "model.h5", str(photos / "gone.jpg"), "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out) == []


def test_the_exit_status_is_what_the_help_says():
    """0, some unreadable 1, none readable 2: the three tests above."""
    assert "1 some images could not be read, 2 nothing could be done: no image could be read" in cli.EPILOG


def test_the_version_is_that_of_the_project(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert capsys.readouterr().out == f"multilabel {project['version']}\n"
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == project["version"]


def test_a_folder_without_images_is_an_error(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert cli.main(["predict", "model.h5", str(tmp_path / "empty")]) == 2
    assert "expected images, found none" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--top", "--batch-size", "--threads"])
def test_numbers_below_one_are_refused(photos, capsys, option):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["predict", "model.h5", str(photos), option, "0"])
    assert f"argument {option}: expected a whole number from 1, found '0'" in capsys.readouterr().err


def test_a_bad_model_file_ends_the_command_with_its_reason(monkeypatch, capsys):
    def fail(path):
        raise ValueError(f"{path}: expected a model file")

    monkeypatch.setattr(export, "load", fail)
    assert cli.main(["predict", "model.h5", "a.png"]) == 2
    assert capsys.readouterr().err == "multilabel: model.h5: expected a model file\n"


def test_help_and_errors_do_not_wait_for_tensorflow():
    code = (
        "import sys; from multilabel import cli; "
        "print(cli.main(['predict', 'nowhere.h5', 'a.png']), 'tensorflow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["2", "False"]
