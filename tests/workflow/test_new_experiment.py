"""What it takes to add an experiment: its own files, and one line in the list."""

import subprocess
import sys

import pytest

from .conftest import ROOT, SMALLEST, call, copy_project, planned, succeeds

CONFIG = """
from pydantic import Field

from multilabel.config.sections import Section
from multilabel.config.shared import Shared


class Dummy(Section):
    \"""Nothing much.\"""

    number: int = Field(3, ge=1, description="how often")


class Keys(Shared):
    \"""What the experiment adds to the configuration.\"""

    dummy: Dummy = Dummy()
"""
STAGES = """
from multilabel.stages import Stage

RUN_FOLDERS = ["runs"]
GROUPS = {"dummies": ["dummy_run"]}
PLOTS = []


def stages(config):
    return [Stage("dummy", "dummy", ["dataset.name", "dummy"])]
"""
RULES = """
rule dummy_run:
    output:
        f"{RESULTS}/dummy/runs/{CONFIG.dummy.number}/run.json",
    log:
        log_of("dummy_run"),
    benchmark:
        benchmark_of("dummy_run")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        number=CONFIG.dummy.number,
    message:
        "A dummy's run"
    script:
        "../scripts/dummy/run.py"


rule dummy:
    input:
        rules.dummy_run.output,
    message:
        "The dummy is complete"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with a further experiment that does next to nothing."""
    folder = copy_project(tmp_path_factory.mktemp("new") / "project", ROOT, "dvc.yaml", "demo")
    demo = (ROOT / "tests/workflow/smallest.yaml").read_text() + "\ndummy:\n  number: 4\n"
    (folder / "config/demo.yaml").write_text(demo)
    (folder / "workflow/multilabel/config/dummy.py").write_text(CONFIG)
    (folder / "workflow/multilabel/experiments/dummy").mkdir()
    (folder / "workflow/multilabel/experiments/dummy/__init__.py").write_text("")
    (folder / "workflow/multilabel/experiments/dummy/stages.py").write_text(STAGES)
    (folder / "workflow/rules/dummy.smk").write_text(RULES)
    (folder / "workflow/scripts/dummy").mkdir()
    (folder / "workflow/scripts/dummy/run.py").write_text("open(snakemake.output[0], 'w').close()")
    path = folder / "workflow/multilabel/experiments/__init__.py"
    path.write_text(path.read_text().replace("EXPERIMENTS = {\n", 'EXPERIMENTS = {\n    "dummy": "A dummy",\n', 1))
    text = (
        path.read_text().replace('    "dummy": "A dummy",\n', "", 1).replace("\n}", '\n    "dummy": "A dummy",\n}', 1)
    )
    path.write_text(text)
    return folder


def test_it_is_a_target(project):
    assert planned(project, "dummy", config=project / "config/demo.yaml")["dummy_run"] == 1


def test_it_is_not_part_of_the_main_experiment(project):
    assert "dummy_run" not in planned(project, config=project / "config/demo.yaml")


def test_its_keys_are_checked(project):
    (project / "wrong.yaml").write_text("dummy:\n  number: 0\n")
    result = call(
        project, "snakemake", "-n", "--cores", "1", "--configfile", str(SMALLEST), "wrong.yaml", "--", "dummy"
    )
    assert "dummy.number: input should be greater than or equal to 1; found 0" in result.stdout


def test_it_has_a_stage_of_dvc_and_groups_of_slurm(project):
    subprocess.run([sys.executable, "workflow/stages.py"], cwd=project, check=True, capture_output=True)
    assert "run dummy --configfile config/demo.yaml" in (project / "demo/dvc.yaml").read_text()
    assert "  dummy_run: dummies\n" in (project / "profiles/slurm/config.yaml").read_text()
    code = "import versions, pathlib; print(versions._targets(pathlib.Path('demo/dvc.yaml')))"
    restored = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env={"PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'dummy'" in restored.stdout


def test_prune_knows_its_runs(project):
    for name in ("4", "3"):
        (project / "results/shapes_smallest/dummy/runs" / name).mkdir(parents=True)
    output = succeeds(project, sys.executable, "workflow/versions.py", "prune", "--configfile", "config/demo.yaml")
    assert "results/shapes_smallest/dummy/runs/3" in output
    assert "results/shapes_smallest/dummy/runs/4" not in output
