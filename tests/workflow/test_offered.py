"""What experiments offer for comparison is what rules make."""

import subprocess
import sys
from importlib import import_module, util

import pytest
import yaml

from multilabel import config as configuration
from multilabel.experiments import EXPERIMENTS
from multilabel.methods import LeftOut
from stages import merged

from .conftest import ROOT, SMALLEST, copy_project, planned

OFFERING = [name for name in EXPERIMENTS if util.find_spec(f"multilabel.experiments.{name}.methods")]


@pytest.mark.parametrize("experiment", OFFERING)
def test_a_rule_makes_each_path_that_is_offered(experiment, tmp_path):
    layers = [yaml.safe_load(path.read_text()) for path in (ROOT / "config/config.yaml", SMALLEST)]
    layers[1]["dataset"]["validation"] = {"fraction": 0.2}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(layers[1]))
    config = configuration.load(merged(*layers))
    methods = import_module(f"multilabel.experiments.{experiment}.methods").methods(config)
    paths = set()
    for method in methods:
        if not isinstance(method, LeftOut):
            paths |= {*method.models, *(scores.path for scores in method.smaller.values())}
            for run in (run for candidate in method.candidates for run in candidate):
                paths |= {run.scores("val"), run.scores("test"), run.record, *run.timing} - {""}
    assert paths
    folder = copy_project(tmp_path / "project")
    wanted = [f"results/shapes_smallest/{path}" for path in sorted(paths)]
    jobs = planned(folder, "--", *wanted, config=tmp_path / "own.yaml")  # fails where no rule makes one
    assert jobs["labels"] == 1


@pytest.mark.parametrize("experiment", OFFERING)
def test_what_is_offered_is_known_without_tensorflow(experiment):
    check = f"import sys, multilabel.experiments.{experiment}.methods; print(sorted(sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT / "workflow", capture_output=True, check=True
    ).stdout
    assert b"'tensorflow'" not in modules
    assert b"'keras'" not in modules
