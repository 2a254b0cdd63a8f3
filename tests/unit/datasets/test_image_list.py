"""A list of images notices that one was replaced, and nothing else."""

import csv
import os
import shutil

import pytest

from multilabel.datasets import image_list
from multilabel.files import sha256

NAMES = ["a.jpg", "more/b.jpg"]


class Listed:
    """A folder of images, their list and its memory."""

    def __init__(self, place):
        self.folder, self.path, self.memory = place / "images", place / "list.csv", place / "memory.json"
        for name in NAMES:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(name.encode())

    def changes(self):
        return image_list.changes(self.path, self.folder, memory=self.memory, workers=1)

    def write(self):
        image_list.write(self.path, self.folder, NAMES, memory=self.memory, since=self.changes(), workers=1)


@pytest.fixture
def listed(tmp_path):
    listed = Listed(tmp_path)
    listed.write()
    return listed


@pytest.fixture
def read(monkeypatch):
    """The images that are read to know their checksum."""
    read = []
    monkeypatch.setattr(image_list, "sha256", lambda path: read.append(path.name) or sha256(path))
    return read


def test_a_list_has_each_image_with_size_and_checksum(listed):
    rows = list(csv.reader(listed.path.open()))
    assert rows == [
        ["file_name", "bytes", "sha256"],
        *([name, str(len(name)), sha256(listed.folder / name)] for name in NAMES),
    ]


def test_nothing_has_changed_and_nothing_is_read_again(listed, read):
    assert listed.changes() == ""
    assert read == []


def replace(path):
    path.write_bytes(b"x" * path.stat().st_size)


def replace_with_the_old_time(path):
    times = path.stat()
    replace(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("change", [replace, replace_with_the_old_time, os.remove])
def test_an_image_that_was_replaced_or_removed_is_noticed_until_the_list_is_written_anew(listed, read, change):
    change(listed.folder / "a.jpg")
    noticed = listed.changes()
    assert noticed
    assert listed.changes() == noticed
    assert len(read) <= 1  # whatever the number of plans
    listed.write()
    assert listed.changes() == noticed  # as it was when the list was made: nothing has changed since


def test_an_image_that_is_as_before_again_is_no_change(listed):
    (listed.folder / "a.jpg").write_bytes(b"other")
    assert listed.changes()
    (listed.folder / "a.jpg").write_bytes(b"a.jpg")
    assert listed.changes() == ""


def test_a_second_replacement_is_another_change(listed):
    found = []
    for content in (b"one", b"two"):
        (listed.folder / "a.jpg").write_bytes(content)
        found.append(listed.changes())
        listed.write()
    assert len(set(found)) == 2


def test_a_touched_image_is_read_once_and_is_no_change(listed, read):
    (listed.folder / "a.jpg").touch()
    assert [listed.changes(), listed.changes()] == ["", ""]
    assert read == ["a.jpg"]


def test_a_stray_file_does_not_matter(listed):
    (listed.folder / "notes.txt").write_text("of no image")
    assert listed.changes() == ""


def test_a_list_that_came_from_elsewhere_takes_images_of_the_same_sizes_as_its_own(listed, read):
    listed.memory.unlink()
    shutil.copytree(listed.folder, listed.folder.with_name("copy"))
    listed.folder = listed.folder.with_name("copy")
    assert listed.changes() == ""
    assert read == []
    replace(listed.folder / "a.jpg")
    assert listed.changes()


def test_a_list_that_came_from_elsewhere_with_other_images_is_noticed(listed):
    listed.memory.unlink()
    (listed.folder / "a.jpg").write_bytes(b"longer than before")
    noticed = listed.changes()
    assert noticed
    listed.write()
    assert listed.changes() == noticed


def test_no_list_has_no_changes(listed):
    listed.path.unlink()
    listed.memory.unlink()
    assert listed.changes() == ""
