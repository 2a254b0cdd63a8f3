"""Checksums are remembered; a file that was changed behind its old time is noticed."""

import os

import pytest

from multilabel import checksums, files, provenance


@pytest.fixture(autouse=True)
def memory(monkeypatch, tmp_path):
    """Where checksums are remembered."""
    monkeypatch.setenv(checksums.VARIABLE, str(tmp_path / "memory/checksums.json"))
    return tmp_path / "memory/checksums.json"


@pytest.fixture
def features(tmp_path):
    path = tmp_path / "features.h5"
    path.write_bytes(b"features")
    return path


@pytest.fixture
def read(monkeypatch):
    """The files that are read."""
    read = []
    monkeypatch.setattr(checksums, "sha256", lambda path: read.append(str(path)) or files.sha256(path))
    return read


def zero(path):
    """Other content, old time."""
    times = path.stat()
    path.write_bytes(bytes(times.st_size))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_is_read_once(features, read):
    assert checksums.of([features]) == checksums.of([features]) == {str(features): files.sha256(features)}
    assert read == [str(features)]


def test_a_file_that_is_written_anew_is_read_again(features, read):
    checksums.of([features])
    features.write_bytes(b"other features")
    assert checksums.of([features]) == {str(features): files.sha256(features)}
    assert len(read) == 2


def test_other_content_behind_the_old_time_is_refused(features):
    checksums.of([features])
    zero(features)
    with pytest.raises(ValueError, match=r"features.h5: its content was changed .* but not its time"):
        checksums.of([features])


def test_a_damaged_memory_is_made_anew(features, memory):
    checksums.of([features])
    memory.write_text("{")
    assert checksums.of([features]) == {str(features): files.sha256(features)}


def test_without_a_memory_files_are_read_each_time(features, read, monkeypatch):
    monkeypatch.delenv(checksums.VARIABLE)
    checksums.of([features])
    checksums.of([features])
    assert len(read) == 2


def test_runs_whose_inputs_are_others_now_are_named(features, tmp_path):
    record = tmp_path / "run.json"
    files.write_json(record, {"inputs": provenance.digests([features]) | {"not/pulled.h5": "0" * 64}})
    assert provenance.require_inputs([record]) == 1
    zero(features)
    with pytest.raises(ValueError, match=r"features.h5: 1 run\(s\), such as .*run.json"):
        provenance.require_inputs([record])
