import errno
import hashlib
import io
import os
import shutil
import stat
import tarfile
import zipfile

import pytest

from multilabel.datasets import archives

CONTENT = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(250)) * 2  # 16,000 bytes


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def make_zip(path, members, *, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    return path


def make_tar(path, members, *, others=(), mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind in others:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return path


MEMBERS = {"val2017/1.jpg": CONTENT[:5000], "val2017/2.jpg": CONTENT[5000:9000], "readme.txt": b"hello"}
MAKE = {"zip": make_zip, "tar": make_tar}


@pytest.fixture
def extract(tmp_path):
    """`archives.extract` into tmp_path/out; gives what is there afterwards, hidden files too."""

    def quiet(archive, **options):
        archives.extract(archive, tmp_path / "out", report=lambda line: None, **options)
        return content(tmp_path / "out")

    return quiet


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("kind", MAKE)
def test_an_archive_is_unpacked_and_nothing_else_remains(tmp_path, extract, kind):
    assert extract(MAKE[kind](tmp_path / f"a.{kind}", MEMBERS)) == MEMBERS
    assert names(tmp_path / "out") == ["readme.txt", "val2017"]


def test_a_compressed_tar_is_unpacked(tmp_path, extract):
    assert extract(make_tar(tmp_path / "a.tar.gz", MEMBERS, mode="w:gz")) == MEMBERS


@pytest.mark.parametrize("kind", MAKE)
def test_only_the_chosen_members_are_unpacked(tmp_path, extract, kind):
    archive = MAKE[kind](tmp_path / f"a.{kind}", MEMBERS)
    assert set(extract(archive, members=lambda name: name.endswith("2.jpg"))) == {"val2017/2.jpg"}


def test_archives_that_share_a_folder_are_merged(tmp_path, extract):
    extract(make_tar(tmp_path / "1.tar", {"VOC/JPEGImages/1.jpg": b"1"}))
    found = extract(make_tar(tmp_path / "2.tar", {"VOC/JPEGImages/2.jpg": b"2"}))
    assert found == {"VOC/JPEGImages/1.jpg": b"1", "VOC/JPEGImages/2.jpg": b"2"}


def test_what_a_killed_run_left_is_cleared(tmp_path, extract):
    (tmp_path / "out" / ".a.zip.partial").mkdir(parents=True)
    (tmp_path / "out" / ".a.zip.partial" / "half.jpg").write_bytes(b"")
    assert extract(make_zip(tmp_path / "a.zip", MEMBERS)) == MEMBERS


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/evil", "C:\\evil", "..\\evil"])
def test_a_member_that_leaves_the_target_is_refused_before_anything_is_written(tmp_path, extract, kind, name):
    archive = MAKE[kind](tmp_path / f"a.{kind}", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(ValueError, match=r"evil' (has an absolute path|would lie outside)") as error:
        extract(archive)
    assert str(archive) in str(error.value)
    assert names(tmp_path) == [archive.name]


def test_a_link_in_a_zip_is_refused(tmp_path, extract):
    archive = make_zip(tmp_path / "a.zip", MEMBERS, links=["passwords"])
    with pytest.raises(ValueError, match="'passwords' is a link"):
        extract(archive)
    assert names(tmp_path) == ["a.zip"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [(tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "link"), (tarfile.CHRTYPE, "device"), (tarfile.FIFOTYPE, "device")],
)
def test_a_link_or_device_in_a_tar_is_refused(tmp_path, extract, kind, word):
    archive = make_tar(tmp_path / "a.tar", MEMBERS, others=[("special", kind)])
    with pytest.raises(ValueError, match=f"'special' is a {word}"):
        extract(archive)
    assert names(tmp_path) == ["a.tar"]


def test_a_link_in_the_target_does_not_lead_members_outside(tmp_path, extract):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "val2017").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"'val2017/1\.jpg' would lie outside"):
        extract(make_zip(tmp_path / "a.zip", MEMBERS))
    assert names(tmp_path / "elsewhere") == []


@pytest.mark.parametrize(
    ("there", "message"),
    [("val2017", r"'val2017/1\.jpg' needs a folder where"), ("readme.txt/x", r"'readme\.txt' needs a file where")],
)
def test_a_member_that_stands_against_what_is_there_is_refused(tmp_path, extract, there, message):
    (tmp_path / "out" / there).parent.mkdir(parents=True)
    (tmp_path / "out" / there).write_bytes(b"mine")
    with pytest.raises(ValueError, match=message):
        extract(make_zip(tmp_path / "a.zip", MEMBERS))
    assert content(tmp_path / "out") == {there: b"mine"}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_a_truncated_archive_is_named_and_leaves_nothing(tmp_path, extract, kind, share):
    archive = MAKE[kind](tmp_path / f"a.{kind}", MEMBERS)
    os.truncate(archive, int(share * sum(map(len, MEMBERS.values()))))
    with pytest.raises(ValueError, match=f"{archive}: damaged, incomplete, or not a zip or tar archive"):
        extract(archive)
    assert names(tmp_path) == [archive.name]


def test_a_tar_cut_between_two_members_is_incomplete(tmp_path, extract):
    archive = make_tar(tmp_path / "a.tar", MEMBERS)
    os.truncate(archive, 512 + 5120)
    with pytest.raises(ValueError, match="no end of archive after 1 members"):
        extract(archive)


def test_a_truncated_gzip_is_named(tmp_path, extract):
    archive = make_tar(tmp_path / "a.tar.gz", MEMBERS, mode="w:gz")
    os.truncate(archive, archive.stat().st_size // 2)
    with pytest.raises(ValueError, match=f"{archive}: damaged"):
        extract(archive)


def test_a_changed_byte_in_a_zip_is_found_and_leaves_what_was_there(tmp_path, extract):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "readme.txt").write_bytes(b"mine")
    archive = make_zip(tmp_path / "a.zip", MEMBERS)
    damaged = bytearray(archive.read_bytes())
    damaged[3000] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises(ValueError, match=f"{archive}: damaged"):
        extract(archive)
    assert content(tmp_path / "out") == {"readme.txt": b"mine"}


def test_too_little_space_to_unpack_is_found_before(tmp_path, extract, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6 - 1000, 1000))
    with pytest.raises(OSError, match=r"needs 9,005 bytes, 1,000 are free") as error:
        extract(make_zip(tmp_path / "a.zip", MEMBERS))
    assert error.value.errno == errno.ENOSPC
    assert names(tmp_path) == ["a.zip"]
