"""The rules that fetch what is published, with a server on loopback in the place of the real ones."""

import hashlib
import re
import runpy
import shutil
import tarfile
import threading
import zipfile
from contextlib import nullcontext
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import yaml

from multilabel import logs
from multilabel.datasets import download, published

from .conftest import ROOT, copy_project, dry_run, planned, run_snakemake

PAPER = ROOT / "config/config.yaml"
UNREACHABLE = "http://127.0.0.1:9"
WEIGHTS = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture
def server(tmp_path):
    """A folder and the address at which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def publish(monkeypatch, folder, address, name):
    """Let the table of published files say of `name` what lies in the folder."""
    content = (folder / name).read_bytes()
    file = published.RemoteFile(name, f"{address}/{name}", len(content), hashlib.md5(content).hexdigest())
    monkeypatch.setattr(published, "SOURCES", dict(published.SOURCES) | {name: file})


def run_script(monkeypatch, name, tmp_path, outputs, **params):
    """Run a script as its rule would."""
    downloads = {"folder": str(tmp_path / "downloads"), "mirrors": [], "attempts": 1}
    job = SimpleNamespace(
        log=[str(tmp_path / "log")], output=[str(path) for path in outputs], params=SimpleNamespace(**params)
    )
    job.params.downloads = downloads
    monkeypatch.setattr(logs, "logged", lambda path: nullcontext())  # it is a process's, not pytest's
    runpy.run_path(str(ROOT / "workflow/scripts" / name), {"snakemake": job})


def test_the_paper_fetches_what_is_not_there(tmp_path):
    jobs = planned(copy_project(tmp_path / "project"), config=PAPER)
    assert {"official_weights", "unpack_train2017", "unpack_val2017", "unpack_annotations_trainval2017"} <= set(jobs)


def test_images_that_are_there_are_not_fetched(tmp_path):
    folder = copy_project(tmp_path / "project")
    (folder / "resources/coco_2017/train2017").mkdir(parents=True)
    assert "unpack_train2017" not in planned(folder, config=PAPER)


def test_an_archive_is_fetched_and_what_is_wanted_of_it_unpacked(monkeypatch, server, tmp_path):
    folder, address = server
    with zipfile.ZipFile(folder / "annotations_trainval2017.zip", "w") as archive:
        archive.writestr("annotations/instances_val2017.json", "{}")
        archive.writestr("annotations/captions_val2017.json", "{}")
    publish(monkeypatch, folder, address, "annotations_trainval2017.zip")
    target = tmp_path / "coco"
    wanted = target / "annotations/instances_val2017.json"
    member = "annotations/instances_val2017.json"
    params = {"archives": ["annotations_trainval2017.zip"], "members": [member]}
    run_script(monkeypatch, "unpack.py", tmp_path, [wanted], **params)
    assert [path for path in target.rglob("*") if path.is_file()] == [wanted]


def test_archives_that_share_a_folder_are_unpacked_together(monkeypatch, server, tmp_path):
    folder, address = server
    [voc] = [unpacking for unpacking in published.UNPACKINGS if unpacking.name == "voc_2007"]
    for name, split in zip(voc.archives, ("trainval", "test"), strict=True):
        with tarfile.open(folder / name, "w") as archive:
            for path in (f"JPEGImages/{split}.jpg", f"ImageSets/Main/{split}.txt", f"SegmentationClass/{split}.png"):
                archive.addfile(tarfile.TarInfo(f"VOCdevkit/VOC2007/{path}"))
        publish(monkeypatch, folder, address, name)
    outputs = [tmp_path / "voc" / path.removeprefix(f"{voc.folder}/") for path in voc.outputs]
    run_script(monkeypatch, "unpack.py", tmp_path, outputs, archives=voc.archives, members=voc.members)
    found = {path.relative_to(tmp_path / "voc").as_posix() for path in tmp_path.rglob("voc/**/*") if path.is_file()}
    lists = {path.removeprefix(f"{voc.folder}/") for path in voc.outputs if path.endswith(".txt")}
    assert found == lists | {f"VOCdevkit/VOC2007/JPEGImages/{split}.jpg" for split in ("trainval", "test")}


@pytest.mark.parametrize(
    ("missing", "rules"),
    [
        ("resources/coco_2014/val2014", ["unpack_val2014"]),
        ("resources/voc_2007/VOCdevkit/VOC2007/ImageSets/Main/test.txt", ["unpack_voc_2007"]),
        ("resources/voc_2012/VOCdevkit/VOC2012/JPEGImages", ["unpack_voc_2012"]),
    ],
)
def test_each_published_dataset_has_its_rules(tmp_path, missing, rules):
    assert list(planned(copy_project(tmp_path / "project"), "--", missing, config=PAPER)) == rules


def test_weights_are_fetched(monkeypatch, server, tmp_path):
    folder, address = server
    (folder / WEIGHTS).write_bytes(b"weights")
    publish(monkeypatch, folder, address, WEIGHTS)
    run_script(monkeypatch, "official_weights.py", tmp_path, [tmp_path / "weights" / WEIGHTS])
    assert (tmp_path / "weights" / WEIGHTS).read_bytes() == b"weights"


def test_weights_of_other_networks_are_asked_of_keras_and_fetched(monkeypatch, server, tmp_path):
    from multilabel.networks import official

    folder, address = server
    (folder / "mobilenet_2_5_128_tf_no_top.h5").write_bytes(b"weights of MobileNet")
    asked = official.remote_file("MobileNet", options={"alpha": 0.25}, input_size=128)
    served = asked._replace(address=f"{address}/{asked.name}")
    monkeypatch.setattr(official, "remote_file", lambda *_, **asks: served if asks["input_size"] == 128 else None)
    base = {"network": "MobileNet", "options": {"alpha": 0.25}, "input_size": 128}
    run_script(monkeypatch, "official_weights.py", tmp_path, [tmp_path / "weights.h5"], base=base, top=False)
    assert (tmp_path / "weights.h5").read_bytes() == b"weights of MobileNet"


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ({"network": "ResNet50"}, "resnet50_224_notop.h5"),
        ({"network": "MobileNet", "options": {"alpha": 0.25}}, "mobilenet_alpha-0.25_224_notop.h5"),
    ],
)
def test_official_weights_are_those_of_the_network(tmp_path, base, name):
    folder = copy_project(tmp_path / "project")
    (folder / "base.yaml").write_text(yaml.safe_dump({"base": base}))
    plan = dry_run(folder, over="base.yaml", config=PAPER)
    assert plan.returncode == 0, plan.stdout
    assert set(re.findall(r"resources/weights/[\w.-]+", plan.stdout)) == {f"resources/weights/{name}"}


def test_an_own_copy_of_the_weights_needs_no_network(monkeypatch, server, tmp_path):
    folder, _ = server
    (folder / WEIGHTS).write_bytes(b"weights")
    publish(monkeypatch, folder, UNREACHABLE, WEIGHTS)
    (tmp_path / "downloads").mkdir()
    shutil.copy(folder / WEIGHTS, tmp_path / "downloads" / WEIGHTS)
    run_script(monkeypatch, "official_weights.py", tmp_path, [tmp_path / "weights" / WEIGHTS])
    assert (tmp_path / "weights" / WEIGHTS).exists()


def test_offline_the_log_names_the_file_and_how_to_give_a_copy(monkeypatch, server, tmp_path):
    folder, _ = server
    (folder / WEIGHTS).write_bytes(b"weights")
    publish(monkeypatch, folder, UNREACHABLE, WEIGHTS)
    with pytest.raises(download.DownloadError, match=rf"{WEIGHTS}(.|\n)*{UNREACHABLE}(.|\n)*put the file"):
        run_script(monkeypatch, "official_weights.py", tmp_path, [tmp_path / "weights" / WEIGHTS])
    assert not (tmp_path / "weights" / WEIGHTS).exists()


def test_a_wrong_own_copy_stops_the_workflow_and_is_kept(tmp_path):
    folder = copy_project(tmp_path / "project")
    copy = folder / "resources/downloads" / WEIGHTS
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"something else")
    result = run_snakemake(folder, "--", f"resources/weights/{WEIGHTS}", config=PAPER)
    assert result.returncode != 0
    assert f"resources/downloads/{WEIGHTS}" in (folder / f"logs/downloads/{WEIGHTS}.log").read_text()
    assert copy.read_bytes() == b"something else"
