import ast
import errno
import hashlib
import importlib.util
import shutil
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from multilabel.datasets import download, progress
from multilabel.datasets.download import DownloadError
from multilabel.datasets.published import SOURCES, UNPACKINGS, RemoteFile

CONTENT = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(250)) * 100  # 800,000 bytes
REST_OF_RANGE = 123_456


class Server:
    """Serves `files` on loopback; notes (path, Range) of each request."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = True
        self.announces_length = True
        self.stop_after: list[int] = []  # bytes that the next answers send before they break off
        self.statuses: list[int] = []  # of the next answers
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.005,))
        self.thread.start()

    def answer(self, handler):
        wanted = handler.headers.get("Range")
        self.requests.append((handler.path, wanted))
        content = self.files.get(handler.path)
        if self.statuses or content is None:
            handler.send_error(self.statuses.pop(0) if self.statuses else 404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if start >= len(content):
            handler.send_error(416)
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.announces_length:
            handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        body = content[start:]
        with suppress(ConnectionError):  # the client has seen enough
            handler.wfile.write(body[: self.stop_after.pop(0)] if self.stop_after else body)

    def offer(self, path, content=CONTENT, *, known_size=True):
        """Serve `content`; give the entry that a table of published files would have."""
        self.files[path] = content
        name = path.rpartition("/")[2]
        size = len(content) if known_size else None
        return RemoteFile(name, self.address + path, size, hashlib.md5(content).hexdigest())


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.http.shutdown()
    server.thread.join()
    server.http.server_close()


@pytest.fixture
def fetch():
    """`download.fetch` without pauses; gives the lines that it reported."""

    def quick(file, path, **options):
        lines = []
        download.fetch(file, path, **{"pause": 0, "report": lines.append, **options})
        return lines

    return quick


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# --- the table


def test_the_table_names_each_file_as_its_address_does():
    assert all(name == file.name and file.address.endswith(f"/{name}") for name, file in SOURCES.items())


def test_every_archive_is_unpacked_somewhere_and_every_file_has_a_checksum():
    archives = [name for unpacking in UNPACKINGS for name in unpacking.archives]
    assert len(archives) == len(set(archives)) == 9
    assert {file.name for file in SOURCES.values() if file.name.endswith((".zip", ".tar"))} == set(archives)
    assert all(len(file.md5) == 32 or file.sha256 for file in SOURCES.values())


def test_coco_and_voc_come_from_their_own_hosts_over_http():
    assert SOURCES["annotations_trainval2017.zip"].address == (
        "http://images.cocodataset.org/annotations/annotations_trainval2017.zip"
    )
    assert SOURCES["VOCtest_06-Nov-2007.tar"].address == (
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtest_06-Nov-2007.tar"
    )


def test_the_weights_are_those_that_keras_itself_would_fetch():
    keras = Path(importlib.util.find_spec("keras").origin).parent
    source = ast.parse((keras / "src" / "applications" / "vgg16.py").read_text())
    strings = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    weights = [file for file in SOURCES.values() if file.name.startswith("vgg16")]
    assert len(weights) == 2
    assert strings >= {text for file in weights for text in (file.name, file.address, file.md5)}


# --- fetch


def test_a_download_has_the_published_bytes(server, fetch, tmp_path):
    fetch(server.offer("/zips/a.zip"), tmp_path / "new" / "a.zip")
    assert (tmp_path / "new" / "a.zip").read_bytes() == CONTENT


def test_nothing_but_the_file_remains(server, fetch, tmp_path):
    fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert names(tmp_path) == ["a.zip"]


def test_a_file_of_unknown_size_is_downloaded(server, fetch, tmp_path):
    server.announces_length = False
    fetch(server.offer("/a.zip", known_size=False), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_partial_download_asks_only_for_the_rest(server, fetch, tmp_path):
    file = server.offer("/a.zip")
    (tmp_path / ".a.zip.partial").write_bytes(CONTENT[:REST_OF_RANGE])
    fetch(file, tmp_path / "a.zip")
    assert server.requests == [("/a.zip", f"bytes={REST_OF_RANGE}-")]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_partial_download_that_is_complete_asks_for_nothing(server, fetch, tmp_path):
    file = server.offer("/a.zip")
    (tmp_path / ".a.zip.partial").write_bytes(CONTENT)
    fetch(file, tmp_path / "a.zip")
    assert server.requests == []
    assert names(tmp_path) == ["a.zip"]


def test_a_complete_partial_of_unknown_size_is_recognised_by_its_md5(server, fetch, tmp_path):
    file = server.offer("/a.zip", known_size=False)
    (tmp_path / ".a.zip.partial").write_bytes(CONTENT)
    fetch(file, tmp_path / "a.zip")
    assert server.requests == [("/a.zip", f"bytes={len(CONTENT)}-")]


@pytest.mark.parametrize("known_size", [True, False])
def test_a_partial_that_is_too_long_is_thrown_away(server, fetch, tmp_path, known_size):
    file = server.offer("/a.zip", known_size=known_size)
    (tmp_path / ".a.zip.partial").write_bytes(CONTENT + b"more")
    fetch(file, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_wrong_partial_costs_one_more_download(server, fetch, tmp_path):
    file = server.offer("/a.zip")
    (tmp_path / ".a.zip.partial").write_bytes(b"rubbish")
    fetch(file, tmp_path / "a.zip")
    assert server.requests == [("/a.zip", "bytes=7-"), ("/a.zip", None)]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_after_a_break_the_download_goes_on_where_it_stopped(server, fetch, tmp_path):
    server.stop_after = [300_000]
    fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert server.requests == [("/a.zip", None), ("/a.zip", "bytes=300000-")]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_breaks_with_progress_between_them_do_not_use_up_the_attempts(server, fetch, tmp_path):
    server.stop_after = [100_000] * 7
    fetch(server.offer("/a.zip"), tmp_path / "a.zip", attempts=2)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_breaks_without_progress_come_to_an_end(server, fetch, tmp_path):
    server.ranges = False
    server.stop_after = [100_000] * 50
    with pytest.raises(DownloadError, match=r"stopped after 100,000 of 800,000 bytes \(3 attempts\)"):
        fetch(server.offer("/a.zip"), tmp_path / "a.zip", attempts=3)


def test_after_a_failure_what_came_is_kept(server, fetch, tmp_path):
    server.stop_after = [100_000] + [0] * 3
    with pytest.raises(DownloadError, match=r"0\.1 MB are kept in .*a\.zip\.partial: running again goes on from there"):
        fetch(server.offer("/a.zip"), tmp_path / "a.zip", attempts=3)
    assert (tmp_path / ".a.zip.partial").read_bytes() == CONTENT[:100_000]


def test_a_server_without_ranges_sends_all_from_the_beginning(server, fetch, tmp_path):
    server.ranges = False
    (tmp_path / ".a.zip.partial").write_bytes(CONTENT[:REST_OF_RANGE])
    fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server, fetch, tmp_path):
    server.statuses = [503, 500, 429]
    fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert len(server.requests) == 4


def test_the_pauses_between_attempts_double(server, fetch, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    server.statuses = [503] * 4
    fetch(server.offer("/a.zip"), tmp_path / "a.zip", pause=0.5)
    assert pauses == [0.5, 1, 2, 4]


def test_a_silent_server_counts_as_a_failure(server, fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = RemoteFile("a.zip", f"http://127.0.0.1:{silent.getsockname()[1]}/a.zip", None, "0" * 32)
        with pytest.raises(DownloadError, match=r"timed out \(2 attempts\)"):
            fetch(file, tmp_path / "a.zip", attempts=2)


def test_a_mirror_is_asked_before_the_official_address(server, fetch, tmp_path):
    file = server.offer("/official/a.zip")
    server.offer("/mirror/a.zip")
    fetch(file, tmp_path / "a.zip", mirrors=[f"{server.address}/mirror/"])
    assert server.requests == [("/mirror/a.zip", None)]


def test_a_mirror_without_the_file_is_asked_once(server, fetch, tmp_path):
    fetch(server.offer("/official/a.zip"), tmp_path / "a.zip", mirrors=[f"{server.address}/empty"])
    assert server.requests == [("/empty/a.zip", None), ("/official/a.zip", None)]


def test_a_mirror_needs_a_web_address(fetch, tmp_path):
    with pytest.raises(ValueError, match=r"mirror 'mirror.example/coco': expected an address that starts with http://"):
        fetch(SOURCES["val2017.zip"], tmp_path / "val2017.zip", mirrors=["mirror.example/coco"])


def test_after_a_wrong_checksum_the_next_address_is_asked_from_zero(server, fetch, tmp_path):
    file = server.offer("/official/a.zip")
    server.offer("/mirror/a.zip", CONTENT[::-1])
    fetch(file, tmp_path / "a.zip", mirrors=[f"{server.address}/mirror"])
    assert server.requests == [("/mirror/a.zip", None), ("/official/a.zip", None)]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_checksum_that_stays_wrong_is_named(server, fetch, tmp_path):
    file = server.offer("/a.zip")
    server.files["/a.zip"] = CONTENT[::-1]
    found = hashlib.md5(CONTENT[::-1]).hexdigest()
    with pytest.raises(DownloadError, match=rf"{file.address}: expected md5 {file.md5}, found {found}"):
        fetch(file, tmp_path / "a.zip")
    assert names(tmp_path) == []


def test_a_file_of_another_size_is_refused_before_its_bytes_are_fetched(server, fetch, tmp_path):
    file = server.offer("/a.zip")._replace(size=9)
    with pytest.raises(DownloadError, match="expected a file of 9 bytes, the server has one of 800,000"):
        fetch(file, tmp_path / "a.zip")
    assert len(server.requests) == 1


def test_an_unreachable_host_gives_one_error_with_every_address_and_the_way_out(fetch, tmp_path):
    nobody = f"http://127.0.0.1:{closed_port()}"
    file = RemoteFile("a.zip", f"{nobody}/official/a.zip", 9, "0" * 32)
    with pytest.raises(DownloadError) as error:
        fetch(file, tmp_path / "a.zip", mirrors=[f"{nobody}/mirror"], attempts=2)
    assert str(error.value) == (
        "a.zip could not be downloaded:\n"
        f"  {nobody}/mirror/a.zip: Connection refused (2 attempts)\n"
        f"  {nobody}/official/a.zip: Connection refused (2 attempts)\n"
        f"Without a connection: put the file at {tmp_path / 'a.zip'}, or name your copy in the configuration."
    )


def test_a_name_that_does_not_resolve_is_said_so(fetch, tmp_path, monkeypatch):
    def unresolved(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(DownloadError, match=r"images\.cocodataset\.org/.*: Name or service not known \(2 attempts\)"):
        fetch(SOURCES["annotations_trainval2014.zip"], tmp_path / "a.zip", attempts=2)


def test_a_copy_of_ones_own_is_used_without_any_request(server, fetch, tmp_path):
    file = server.offer("/a.zip")
    (tmp_path / "a.zip").write_bytes(CONTENT)
    fetch(file, tmp_path / "a.zip")
    assert server.requests == []


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        (CONTENT[:-1], "expected 800,000 bytes, found 799,999"),
        (
            CONTENT[::-1],
            f"expected md5 {hashlib.md5(CONTENT).hexdigest()}, found {hashlib.md5(CONTENT[::-1]).hexdigest()}",
        ),
    ],
)
def test_a_wrong_copy_of_ones_own_is_named_and_left_alone(server, fetch, tmp_path, copy, message):
    path = tmp_path / "a.zip"
    path.write_bytes(copy)
    with pytest.raises(ValueError, match=f"{path} is not the published a.zip: {message}"):
        fetch(server.offer("/a.zip"), path)
    assert path.read_bytes() == copy


def test_the_first_digits_of_a_sha256_are_a_checksum(server, fetch, tmp_path):
    file = server.offer("/a.pth")._replace(md5="", sha256=hashlib.sha256(CONTENT).hexdigest()[:8])
    fetch(file, tmp_path / "a.pth")
    (tmp_path / "a.pth").write_bytes(CONTENT[::-1])
    with pytest.raises(ValueError, match=f"expected sha256 {file.sha256}, found "):
        fetch(file, tmp_path / "a.pth")


def test_a_file_without_a_checksum_is_fetched_whole_and_said_so(server, fetch, tmp_path):
    (tmp_path / ".a.h5.partial").write_bytes(b"of another version")
    file = server.offer("/a.h5", known_size=False)._replace(md5="")
    assert "no checksum of it is published" in fetch(file, tmp_path / "a.h5")[0]
    assert (tmp_path / "a.h5").read_bytes() == CONTENT


def test_a_link_to_nothing_is_named(server, fetch, tmp_path):
    (tmp_path / "a.zip").symlink_to(tmp_path / "gone.zip")
    with pytest.raises(FileNotFoundError, match=r"expected the file a\.zip, found a link to nothing"):
        fetch(server.offer("/a.zip"), tmp_path / "a.zip")


@pytest.mark.parametrize("known_size", [True, False])
def test_too_little_space_is_found_before_anything_is_written(server, fetch, tmp_path, monkeypatch, known_size):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6 - 1000, 1000))
    with pytest.raises(OSError, match="needs 800,000 bytes, 1,000 are free") as error:
        fetch(server.offer("/a.zip", known_size=known_size), tmp_path / "a.zip")
    assert error.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


def test_space_for_the_rest_of_a_partial_is_enough(server, fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6 - 1000, 1000))
    (tmp_path / ".a.zip.partial").write_bytes(CONTENT[:-1000])
    fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_disk_that_fills_up_is_said_so_and_what_came_is_kept(server, fetch, tmp_path):
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = server.offer("/a.zip")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
        with pytest.raises(OSError, match=r"File too large after 0\.5 MB of a\.zip; .* goes on from there"):
            fetch(file, tmp_path / "a.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / ".a.zip.partial").read_bytes() == CONTENT[:500_000]


def test_progress_is_reported_while_bytes_come(server, fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "REPORT_EVERY", 0)
    lines = fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert all(
        line.startswith("a.zip: 0.") and " of 0.8 MB, " in line and line.endswith(" s left") for line in lines[:-1]
    )
    assert len(lines) > 1


def test_the_end_is_reported(server, fetch, tmp_path):
    (line,) = fetch(server.offer("/a.zip"), tmp_path / "a.zip")
    assert line.startswith("a.zip: 0.8 of 0.8 MB, ")
    assert line.endswith(" MB/s, done in 0 s")
