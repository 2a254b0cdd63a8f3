"""The stages of DVC follow Snakemake's rules: the same files, the same parameters."""

import copy
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import stages as generator
from multilabel import config as configuration
from multilabel.config.patterns import expand
from multilabel.stages import Stage
from stages import below, leaves, merged

from .conftest import ROOT, SMALLEST, copy_project

# What changes no result.
WITHOUT_EFFECT = {"gpu", "tensorboard", "downloads", "evaluation.compare"}


# Values that are valid beside all others, where one more or one less would not do.
OTHER = {
    "designs.filters": [3, 3],
    "query2label.train": True,
    "base.width": 1.0,
    "dataset.name": "other",
    "dataset.subset": "other",
    "dataset.damaged_images": "skip",
    "dataset.test.images": "config",
    "labels.kind": "coverage",
    "evaluation.criterion": "mean_average_precision",
    "single_positive.linear_init.role.batch_size": 8,
    "single_positive.linear_init.role.learning_rate": 1e-3,
    "single_positive.linear_init.an_ls.batch_size": 16,
    "single_positive.linear_init.an_ls.learning_rate": 1e-3,
}


def other(key: str, value: Any, config: Mapping[str, Any]) -> Any:
    """Another valid value; the same where there is none to be had by rule."""
    if key in ("grid.runs", "grid.extra"):
        return [*value, "zmuvf_max_1x7d5_lr11_b32"]
    if key.startswith("figures.fig") and key != "figures.fig7":
        return [*value, *config["grid"]["runs"]]
    if key in ("finetune.runs", "learning_curve.run"):
        run = next(expand(config["figures"]["fig4a"]))
        return run if key == "learning_curve.run" else [f"{run}_all_lr14_b8"]
    if key in OTHER:
        return OTHER[key]
    if key in ("query2label.width", "query2label.heads"):  # the one divides the other
        return 2 * value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value / 2 if value else 0.1
    return [*value, 5] if key.endswith(".sizes") else value


def changed(layer: Mapping[str, Any], keys: list[str], config: Mapping[str, Any]) -> dict[str, Any]:
    """The layer with other values for some keys."""
    result = copy.deepcopy(dict(layer))
    for key in keys:
        *groups, last = key.split(".")
        place = result
        for group in groups:
            place = place[group]
        place[last] = other(key, place[last], config)
    return result


class Pipeline(NamedTuple):
    """The stages of a DVC file, the configuration files that it takes, what it says, and the jobs of each stage."""

    stages: list[Stage]
    layers: dict[str, dict[str, Any]]
    written: dict[str, dict[str, Any]]
    jobs: dict[str, generator.Jobs]


@pytest.fixture(scope="module", params=generator.PIPELINES, ids=lambda pipeline: pipeline.path)
def pipeline(request, tmp_path_factory):
    """The paper's stages, and the demo's with the smallest configuration in place of the demo's."""
    before = Path.cwd()
    os.chdir(copy_project(tmp_path_factory.mktemp("stages") / "project", ROOT, "dvc.yaml", "demo"))
    shutil.copy(SMALLEST, "config/demo.yaml")
    layers = {path: yaml.safe_load(Path(path).read_text()) for path in request.param.layers}
    config = merged(*layers.values())
    found = generator.stages_of(request.param, configuration.load(config))
    written = yaml.safe_load(Path(request.param.path).read_text())["stages"]
    yield Pipeline(found, layers, written, generator.jobs_of_stages(config, found))
    os.chdir(before)


@pytest.mark.parametrize("pipeline", generator.PIPELINES, ids=lambda pipeline: pipeline.path)
def test_the_files_of_dvc_are_what_the_list_of_experiments_gives(pipeline, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert Path(pipeline.path).read_text() == generator.text(pipeline), "run `make generated`"


def test_the_profile_has_the_groups_that_the_list_of_experiments_gives():
    profile = (ROOT / generator.PROFILE).read_text()
    assert profile == generator.profile(profile), "run `make generated`"


def test_stages_take_nothing_that_a_later_one_makes(pipeline):
    made: set[str] = set()
    for name, jobs in pipeline.jobs.items():
        own = {path for job in jobs.values() for path in job.outputs}
        taken = {path for job in jobs.values() for path in job.inputs} - own
        others = {path for other in pipeline.jobs.values() for job in other.values() for path in job.outputs} - own
        assert taken & others <= made, name
        made |= own


def test_what_is_measured_is_an_out_apart_from_what_lies_beside_it():
    outputs = frozenset(
        {"results/d/room/runs/a/log.csv", "results/d/room/timing/a.csv", "results/d/other/timing/b.csv"}
    )
    jobs = {"stage": {("rule", ""): generator.Job(frozenset(), outputs, "")}}
    outs = generator.outs_of(jobs, "results/d/")
    assert list(outs) == ["results/d/other", "results/d/room/runs", "results/d/room/timing"]


def test_code_is_a_dep_of_every_stage(pipeline):
    assert all({"Snakefile", "workflow"} <= set(stage["deps"]) for stage in pipeline.written.values())


def test_outs_are_kept_when_a_stage_runs_again(pipeline):
    for name, stage in pipeline.written.items():
        entries = stage["outs"] + stage.get("metrics", [])
        assert all(next(iter(entry.values())) == {"persist": True} for entry in entries), name


def test_each_param_of_a_stage_changes_its_jobs(pipeline):
    config, seen = merged(*pipeline.layers.values()), {}
    for stage in pipeline.stages:
        for file, entries in generator.params_of(stage, pipeline.layers).items():
            later = list(pipeline.layers)[list(pipeline.layers).index(file) + 1 :]
            overridden = {key for layer in later for key in leaves(pipeline.layers[layer])}
            for entry in entries:
                if (file, entry) not in seen:
                    keys = [
                        key for key in leaves(pipeline.layers[file]) if below(key, [entry]) and key not in overridden
                    ]
                    layer = changed(pipeline.layers[file], keys, config)
                    targets = dict.fromkeys(stage.target for stage in pipeline.stages)
                    jobs = generator.jobs_of(merged(*(pipeline.layers | {file: layer}).values()), targets)
                    seen[file, entry] = {key: job for found in jobs.values() for key, job in found.items()}
                found = {key: seen[file, entry].get(key) for key in pipeline.jobs[stage.name]}
                assert found != pipeline.jobs[stage.name], f"{stage.name}: {file}: {entry}"


def test_no_other_parameter_changes_the_jobs_of_a_stage(pipeline):
    config = merged(*pipeline.layers.values())
    for stage in pipeline.stages:
        layers = {}
        for file, layer in pipeline.layers.items():
            params = generator.params_of(stage, pipeline.layers).get(file, [])
            keys = [key for key in leaves(layer) if not below(key, [*params, *WITHOUT_EFFECT])]
            layers[file] = changed(layer, keys, config)
        # What is added by the others, such as a run, belongs to them.
        found = generator.jobs_of(merged(*layers.values()), [stage.target])[stage.target]
        differing = {key for key, job in pipeline.jobs[stage.name].items() if found.get(key) != job}
        assert differing == set(), stage.name
