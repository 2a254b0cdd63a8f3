import hashlib
import os

import pytest

from multilabel import files


def test_what_was_written_is_there_afterwards_and_nothing_else(tmp_path):
    with files.complete_or_absent(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("done")
    assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == {"a.txt": "done"}


def test_the_file_is_not_there_until_it_is_complete(tmp_path):
    with files.complete_or_absent(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "a.txt").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_folder_as_it_was(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")

    def fail():
        with files.complete_or_absent(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


@pytest.mark.parametrize("name", ["log.csv", "best.weights.h5", "model.keras"])
def test_the_temporary_file_is_hidden_beside_it_and_keeps_the_suffix(tmp_path, name):
    with files.complete_or_absent(tmp_path / name) as temporary:
        temporary.touch()
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffixes[-len((tmp_path / name).suffixes) :] == (tmp_path / name).suffixes


def test_two_processes_write_under_different_temporary_names(tmp_path, monkeypatch):
    names = set()
    for process in (1, 2):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        with files.complete_or_absent(tmp_path / "a.txt") as temporary:
            names.add(temporary.name)
            temporary.touch()
    assert len(names) == 2


def test_json_reads_back_as_it_was_written(tmp_path):
    content = {"b": [1, 2.5, None], "a": "é"}
    files.write_json(tmp_path / "a.json", content)
    assert files.read_json(tmp_path / "a.json") == content


def test_the_same_content_is_the_same_json_whatever_the_order_of_its_keys(tmp_path):
    files.write_json(tmp_path / "a.json", {"x": 1, "y": 2})
    files.write_json(tmp_path / "b.json", {"y": 2, "x": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_json_that_cannot_be_written_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "a.json", {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_json_is_named_with_the_place(tmp_path):
    path = tmp_path / "run.json"
    path.write_text('{"a": 1,\n "b"')
    with pytest.raises(ValueError, match=rf"^{path}: expected JSON, .*line 2.*Remove it to make it again"):
        files.read_json(path)


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(b"\x89HDF\xff\x00")
    with pytest.raises(ValueError, match=rf"^{path}: expected JSON, .*Remove it to make it again"):
        files.read_json(path)


def test_the_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
