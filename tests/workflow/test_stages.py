"""The stages of DVC follow Snakemake's rules: the same files, the same parameters."""

import copy
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from multilabel.experiments.transfer import runs

from .conftest import ROOT, SMALLEST, copy_project

CONFIGS = {"dvc.yaml": ["config/config.yaml"], "demo/dvc.yaml": ["config/config.yaml", "config/demo.yaml"]}
DOWNLOADS = "resources/"
# What changes no result, and what other targets than `all` take.
WITHOUT_EFFECT = {"gpu", "tensorboard", "miml", "downloads", "evaluation.compare"}


class Job(NamedTuple):
    inputs: frozenset[str]
    outputs: frozenset[str]
    params: str


def dag(config: Mapping[str, Any], target: str) -> dict[tuple[str, str], Job]:
    """The jobs for a target by rule and wildcards, whatever is already there."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        call = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=copy.deepcopy(dict(config))),
            snakefile=Path("Snakefile"),
        )
        call.dag(DAGSettings(targets={target}, forceall=True))
        workflow = call._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        return {
            (job.rule.name, str(job.wildcards)): Job(
                frozenset(map(str, job.input)), frozenset(map(str, job.output)), repr(list(job.params.items()))
            )
            for job in workflow.dag.jobs
            if job.output
        }


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """What Snakemake makes of several configuration files."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            nested = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if nested else copy.deepcopy(value)
    return result


def leaves(layer: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted key → value."""
    found: dict[str, Any] = {}
    for key, value in layer.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return found


def below(key: str, entries: list[str]) -> bool:
    return any(key == entry or key.startswith(f"{entry}.") for entry in entries)


# Values that are valid beside all others, where one more or one less would not do.
OTHER = {
    "dataset.name": "other",
    "dataset.damaged_images": "skip",
    "dataset.test.images": "config",
    "labels.kind": "coverage",
    "evaluation.criterion": "mean_average_precision",
}


def other(key: str, value: Any, config: Mapping[str, Any]) -> Any:
    """Another valid value; the same where there is none to be had by rule."""
    if key in ("grid.runs", "grid.extra") or (key.startswith("figures.fig") and key != "figures.fig7"):
        return [*value, "zmuvf_max_1x7d5_lr11_b32"]
    if key in ("finetune.runs", "learning_curve.run"):
        run = next(runs.expand(config["figures"]["fig4a"]))
        return run if key == "learning_curve.run" else [f"{run}_all_lr14_b8"]
    if key in OTHER:
        return OTHER[key]
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


class Stage(NamedTuple):
    name: str
    target: str
    deps: list[str]
    outs: list[str]
    params: dict[str, list[str]]
    definition: dict[str, Any]


class Pipeline(NamedTuple):
    """A DVC file, the configuration files that it takes, and the jobs of each of its stages."""

    stages: list[Stage]
    layers: dict[str, dict[str, Any]]
    jobs: dict[str, dict[tuple[str, str], Job]]


def names_of(entries: list[Any]) -> list[str]:
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def read_stages(path: str, dataset: str) -> list[Stage]:
    text = Path(path).read_text().replace("${dataset.name}_${dataset.subset}", dataset)
    stages = []
    for name, content in yaml.safe_load(text)["stages"].items():
        stages.append(
            Stage(
                name,
                content["cmd"].split()[3],
                names_of(content["deps"]),
                names_of(content["outs"] + content.get("metrics", [])),
                {file: keys for entry in content["params"] for file, keys in entry.items()},
                content,
            )
        )
    return stages


@pytest.fixture(scope="module", params=["dvc.yaml", "demo/dvc.yaml"])
def pipeline(request, tmp_path_factory):
    """The paper's stages, and the demo's with the smallest configuration in place of the demo's."""
    before = Path.cwd()
    folder = copy_project(tmp_path_factory.mktemp("stages") / "project", ROOT, "dvc.yaml", "demo")
    shutil.copy(SMALLEST, folder / "config/demo.yaml")
    os.chdir(folder)
    layers = {path: yaml.safe_load(Path(path).read_text()) for path in CONFIGS[request.param]}
    config = merged(*layers.values())
    stages = read_stages(request.param, f"{config['dataset']['name']}_{config['dataset']['subset']}")
    jobs, earlier = {}, set()
    for stage in stages:
        found = dag(config, stage.target)
        jobs[stage.name] = {key: job for key, job in found.items() if key not in earlier}
        earlier |= set(found)
    yield Pipeline(stages, layers, jobs)
    os.chdir(before)


def within(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def test_everything_that_a_stage_makes_is_among_its_outs(pipeline):
    for stage in pipeline.stages:
        made = {path for job in pipeline.jobs[stage.name].values() for path in job.outputs}
        made = {path for path in made if not path.startswith(DOWNLOADS)}
        assert {path for path in made if not within(path, stage.outs)} == set(), stage.name
        assert {out for out in stage.outs if not any(within(path, [out]) for path in made)} == set(), stage.name


def test_deps_are_what_the_rules_take_from_earlier_stages(pipeline):
    for stage in pipeline.stages:
        own = {path for job in pipeline.jobs[stage.name].values() for path in job.outputs}
        taken = {path for job in pipeline.jobs[stage.name].values() for path in job.inputs} - own
        taken = {path for path in taken if not path.startswith(DOWNLOADS)}
        deps = [dep for dep in stage.deps if dep not in ("Snakefile", "workflow")]
        assert {path for path in taken if not within(path, deps)} == set(), stage.name
        assert {dep for dep in deps if not any(within(path, [dep]) for path in taken)} == set(), stage.name


def test_code_is_a_dep_of_every_stage(pipeline):
    assert all({"Snakefile", "workflow"} <= set(stage.deps) for stage in pipeline.stages)


def test_outs_are_kept_when_a_stage_runs_again(pipeline):
    for stage in pipeline.stages:
        entries = stage.definition["outs"] + stage.definition.get("metrics", [])
        assert all(next(iter(entry.values())) == {"persist": True} for entry in entries), stage.name


def test_each_param_of_a_stage_changes_its_jobs(pipeline):
    config, seen = merged(*pipeline.layers.values()), {}
    for stage in pipeline.stages:
        for file, entries in stage.params.items():
            later = list(pipeline.layers)[list(pipeline.layers).index(file) + 1 :]
            overridden = {key for layer in later for key in leaves(pipeline.layers[layer])}
            for entry in entries:
                if (file, entry) not in seen:
                    keys = [
                        key for key in leaves(pipeline.layers[file]) if below(key, [entry]) and key not in overridden
                    ]
                    layer = changed(pipeline.layers[file], keys, config)
                    seen[file, entry] = dag(merged(*(pipeline.layers | {file: layer}).values()), "all")
                found = {key: seen[file, entry].get(key) for key in pipeline.jobs[stage.name]}
                assert found != pipeline.jobs[stage.name], f"{stage.name}: {file}: {entry}"


def test_no_other_parameter_changes_the_jobs_of_a_stage(pipeline):
    config = merged(*pipeline.layers.values())
    for stage in pipeline.stages:
        layers = {}
        for file, layer in pipeline.layers.items():
            keys = [key for key in leaves(layer) if not below(key, [*stage.params[file], *WITHOUT_EFFECT])]
            layers[file] = changed(layer, keys, config)
        # What is added by the others, such as a run, belongs to them.
        found = dag(merged(*layers.values()), stage.target)
        differing = {key for key, job in pipeline.jobs[stage.name].items() if found.get(key) != job}
        assert differing == set(), stage.name
