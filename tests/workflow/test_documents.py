"""Every command of README and docs runs as printed, on the smallest demo, or is named here with what it needs."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from PIL import Image

from multilabel import cli

from .conftest import ROOT, SMALLEST, copy_project, succeeds

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What a test cannot run, or another test does; by how the command begins.
ELSEWHERE = {
    "make ": "installs or runs everything: .ci/run",
    "source ": "the environment that make has made",
    "git ": "of a user's own repository",
    "dvc ": "test_dvc.py",
    "snakemake -n": "at full size: test_stages.py",
    "multilabel export ": "tests/unit/test_export.py",
}


def commands() -> list[tuple[str, str]]:
    """The page and each command of its blocks without a language, and of its sentences; comments left out."""
    found = []
    for page in PAGES:
        text = page.read_text()
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        lines = [line for language, block in blocks if not language for line in block.splitlines()]
        inline = re.findall(
            r"`((?:snakemake|multilabel) [^`]+ [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        )
        for line in [*lines, *(" ".join(command.split()) for command in inline)]:
            for part in re.split(r"\s+#\s|\s+&&\s+(?=make|source|git)", line)[:1]:
                if part.strip():
                    found.append((page.name, part.strip()))
    return [(page, command) for command, page in {command: page for page, command in reversed(found)}.items()]


def of(program: str) -> list[tuple[str, str]]:
    """The commands of a program that a test here runs."""
    return [
        (page, command)
        for page, command in commands()
        if command.startswith(f"{program} ")
        and not command.startswith(tuple(ELSEWHERE))
        and not re.search(r"…|--executor|--software-deployment-method|--unlock|--config(?!file)", command)
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The project with the smallest demo for the demo, a user's own birds, and a file at each published path."""
    folder = copy_project(tmp_path_factory.mktemp("documents") / "project")
    content = yaml.safe_load(SMALLEST.read_text())
    content["dataset"]["subset"] = "demo"
    (folder / "config/demo.yaml").write_text(yaml.safe_dump(content))
    (birds,) = re.findall(r"```yaml\n(dataset:.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (folder / "birds.yaml").write_text(birds)
    (folder / "data/images").mkdir(parents=True)
    images = [{"id": row, "file_name": f"{row}.png"} for row in range(20)]
    for image in images:
        Image.new("RGB", (32, 32)).save(folder / "data/images" / image["file_name"])
    annotations = [{"id": row, "image_id": row, "category_id": row % 3, "iscrowd": 0} for row in range(20)]
    categories = [{"id": number, "name": f"bird {number}"} for number in range(3)]
    (folder / "data/instances.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    for path in ("msrc_v2/Images", "msrc_v2/GroundTruth", "scene/original", "scene/processed"):
        (folder / "resources" / path).mkdir(parents=True)
    for path in ("msrc_v2/Images/1.bmp", "scene/original/1.jpg", "scene/processed/miml data.mat"):
        (folder / "resources" / path).touch()
    released = yaml.safe_load((folder / "config/query2label_released.yaml").read_text())["query2label"]["checkpoints"]
    for path in (folder / entry[key] for entry in released for key in ("checkpoint", "config")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_every_command_is_run_here_or_named_with_what_runs_it():
    known = [*ELSEWHERE, "snakemake ", "multilabel ", "find "]
    assert [command for _, command in commands() if not command.startswith(tuple(known))] == []


@pytest.mark.parametrize(("page", "command"), of("snakemake"))
def test_snakemake_takes_the_command(project, page, command):
    """As a plan: the words are options, targets and files as they are meant."""
    arguments = shlex.split(command)[1:]
    if "--report" in arguments:
        place = arguments.index("--report")
        del arguments[place : place + 2]  # of what is finished: test_report.py
    if not any(word in arguments for word in ("--cores", "--profile")):
        arguments += ["--cores", "1"]
    succeeds(project, "snakemake", *arguments, "--dry-run", "--quiet", "rules")


@pytest.mark.parametrize(("page", "command"), of("multilabel"))
def test_multilabel_takes_the_command(page, command):
    words = shlex.split(command.partition("|")[0].partition(">")[0])
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            cli.main(words[1:])
    else:
        cli._parser().parse_args(words[1:])


def test_the_site_does_not_clip_tables(tmp_path):
    """Its style sheet is part of every page."""
    mkdocs = shutil.which("mkdocs")
    if mkdocs is None:
        pytest.skip("needs mkdocs")
    subprocess.run([mkdocs, "build", "--quiet", "--site-dir", str(tmp_path / "site")], cwd=ROOT, check=True)
    for page in (tmp_path / "site").rglob("index.html"):
        assert "wide.css" in page.read_text()
    assert "white-space: normal" in (tmp_path / "site/wide.css").read_text()
