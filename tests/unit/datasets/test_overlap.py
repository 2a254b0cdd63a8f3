import csv
import runpy
import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from multilabel import logs
from multilabel.datasets import overlap

NONE = ["none of the 200 images of val is among those of train"]


@pytest.fixture
def splits(tmp_path):
    """Paths of 200 training and 200 test images, all different, many of the same size."""
    found = {}
    for number, split in enumerate(("train", "val")):
        (tmp_path / split).mkdir()
        rng = np.random.default_rng(number)
        found[split] = [tmp_path / split / f"{index}.jpg" for index in range(200)]
        for index, path in enumerate(found[split]):
            path.write_bytes(rng.bytes(100_000 if index < 3 else 100))
    return found


def said(splits):
    lines = []
    overlap.check(splits, report=lines.append)
    return lines


def test_images_that_differ_are_said_to_do_so(splits):
    assert said(splits) == NONE


def test_a_copy_under_another_name_is_said(splits):
    shutil.copy(splits["train"][7], splits["val"][3])
    shutil.copy(splits["train"][1], splits["val"][0])
    [line] = said(splits)
    assert line.startswith("2 of 200 images of val are copies (of the same bytes) of images of train: ")
    assert f"{splits['val'][3]} and {splits['train'][7]}" in line


@pytest.mark.parametrize("place", [50_000, 99_999])
def test_files_that_differ_in_one_byte_are_no_copies(splits, place):
    content = bytearray(splits["train"][1].read_bytes())
    content[place] ^= 1
    splits["val"][0].write_bytes(content)
    assert said(splits) == NONE


def test_more_copies_than_one_in_a_hundred_are_an_error(splits):
    for index in range(3):
        shutil.copy(splits["train"][index], splits["val"][10 + index])
    with pytest.raises(ValueError, match=r"^3 of 200 images of val are copies .*/10.jpg and .*/0.jpg; .*Take them"):
        said(splits)


@pytest.mark.parametrize("link", ["itself", "symlink_to", "hardlink_to"])
def test_the_same_file_under_another_name_is_an_error(splits, link):
    if link == "itself":
        splits["val"][5] = splits["train"][5].parent / ".." / "train" / "5.jpg"
    else:
        splits["val"][5].unlink()
        getattr(splits["val"][5], link)(splits["train"][5])
    with pytest.raises(ValueError, match=r"^1 of 200 images of val are the same files as images of train: .*5.jpg"):
        said(splits)


def test_images_that_are_not_there_are_passed_over(splits):
    splits["train"][0].unlink()
    splits["val"][1].unlink()
    assert len(said(splits)) == 1


def test_the_rule_of_the_labels_looks_at_the_files(splits, tmp_path, monkeypatch):
    for path in splits["train"][:20]:
        shutil.copy(path, splits["val"][0].with_name(f"copy of {path.name}"))
    for split in splits:
        with (tmp_path / f"{split}.csv").open("w") as file:
            names = sorted(path.name for path in (tmp_path / split).iterdir())
            csv.writer(file).writerows([("file", "cat"), *((name, index % 2) for index, name in enumerate(names))])
    folders = [str(tmp_path / split) for split in splits]
    params = {"kind": "csv", "folders": folders, "reading": {"crowds": False}, "test": (0.0, 0), "validation": (0.5, 0)}
    job = SimpleNamespace(
        log=["log"],
        input=SimpleNamespace(train=tmp_path / "train.csv", test=tmp_path / "val.csv", images=folders),
        output=[str(tmp_path / f"labels/{split}.h5") for split in ("train", "val", "test")],
        params=SimpleNamespace(**params),
    )
    monkeypatch.setattr(logs, "logged", lambda path: nullcontext())
    script = Path(__file__).parents[3] / "workflow/scripts/labels.py"
    with pytest.raises(ValueError, match=r"^\d+ of 220 images of test are copies .*copy of"):
        runpy.run_path(str(script), {"snakemake": job})
