"""Write what follows from the list of experiments: DVC's stages and the SLURM profile's groups (`make generated`).

What an experiment says is in `multilabel/experiments/NAME/stages.py`; the files follow from Snakemake's own jobs for a
stage's target: outs are the highest folders that no other stage writes to, deps those of them that its jobs read.
"""

import copy
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from multilabel import config as configuration
from multilabel.experiments import EXPERIMENTS, MAIN
from multilabel.stages import Plot, Stage

ROOT = Path(__file__).resolve().parents[1]
PROFILE = "profiles/slurm/config.yaml"
GROUPS_START, GROUPS_END = "# Groups, written by make generated\n", "# End of the groups\n"
CODE = ("Snakefile", "workflow")
DATASET = "results/${dataset.name}_${dataset.subset}"
# Jobs of the shared rules that are small, and how many of a group may be together.
SHARED_GROUPS = {
    # Raw data to labels.
    "data": ["scenes", "single_objects", "labels", "image_list"],
    # What is still to do with extracted features: a last check where several jobs filled a file, and whitening.
    "completed": ["gather_features", "whiten"],
    "evaluation": ["metrics"],
}
MEASURED = "timing"
"""Folders of this name hold measured seconds."""
COMPONENTS = {"predictions": 6, "evaluation": 1000}


class Pipeline(NamedTuple):
    """A DVC file: its configuration files, the last of which the commands name, and its experiments."""

    path: str
    layers: list[str]
    experiments: list[str]
    heading: str


PIPELINES = [
    Pipeline(
        "dvc.yaml",
        ["config/config.yaml"],
        [MAIN],
        """\
# The main experiment at full size, for DVC: it versions what Snakemake makes. The demo's stages are in
# demo/dvc.yaml. Written by make generated.
#
#   dvc repro                                   make what changed; which jobs that means, Snakemake decides
#   dvc push, dvc pull                          to and from the remote in .dvc/config
#   python workflow/versions.py restore         after dvc pull or dvc checkout
#   dvc metrics diff, dvc plots show
#
# Code is one dependency: Snakemake knows which jobs an edit concerns. Downloads are none: code holds their checksums.
# With another config/config.yaml, make generated writes the stages anew.
""",
    ),
    Pipeline(
        "demo/dvc.yaml",
        ["config/config.yaml", "config/demo.yaml"],
        list(EXPERIMENTS),
        """\
# The demo for DVC, all experiments. Written by make generated.
#
#   dvc repro demo/dvc.yaml                     some minutes on two cores
#   dvc push demo/dvc.yaml, dvc pull demo/dvc.yaml
#   python workflow/versions.py restore --configfile config/demo.yaml
#   dvc metrics diff, dvc plots show
#
# What config/demo.yaml leaves out comes from config/config.yaml, so both have parameters here.
""",
    ),
]


class Job(NamedTuple):
    """A job of Snakemake: what it reads and writes, and a text that changes when its parameters do."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    params: str


Jobs = dict[tuple[str, str], Job]


def main() -> None:
    """Write all of it."""
    os.chdir(ROOT)
    for pipeline in PIPELINES:
        Path(pipeline.path).write_text(text(pipeline), encoding="utf-8")
    Path(PROFILE).write_text(profile(Path(PROFILE).read_text(encoding="utf-8")), encoding="utf-8")


def text(pipeline: Pipeline) -> str:
    """A DVC file, from the project's folder."""
    layers = {path: yaml.safe_load(Path(path).read_text(encoding="utf-8")) for path in pipeline.layers}
    config = configuration.load(merged(*layers.values()))
    stages = stages_of(pipeline, config)
    jobs = jobs_of_stages(merged(*layers.values()), stages)
    outs = outs_of(jobs, f"results/{config.dataset_id}/")
    written: dict[str, Any] = {}
    for stage in stages:
        made = [out for out, maker in outs.items() if maker == stage.name]
        read = {path for job in jobs[stage.name].values() for path in job.inputs}
        own = {path for job in jobs[stage.name].values() for path in job.outputs}
        kinds = {"outs": [], "metrics": []}
        for out in made:
            numbers = out.endswith("/metrics.json") or (out.endswith("/metrics") and out.count("/") == 2)
            kinds["metrics" if numbers else "outs"].append(out)
        written[stage.name] = {
            **({"wdir": ".."} if "/" in pipeline.path else {}),
            "cmd": _command(stage.target, pipeline),
            "deps": [*CODE, *(_general(out, config) for out in outs if any(within(path, out) for path in read - own))],
            "params": [{path: keys} for path, keys in params_of(stage, layers).items()],
            **{
                kind: [{_general(path, config): {"persist": True}} for path in paths]
                for kind, paths in kinds.items()
                if paths
            },
        }
    up = "../" if "/" in pipeline.path else ""
    plots = [_plot(plot, f"{up}{DATASET}/{plot.file}") for name in pipeline.experiments for plot in _said(name).PLOTS]
    content = {"vars": [up + pipeline.layers[-1]], "stages": written, **({"plots": plots} if plots else {})}
    return pipeline.heading + yaml.dump(content, sort_keys=False, width=200)


def stages_of(pipeline: Pipeline, config: configuration.Config) -> list[Stage]:
    """The stages of a pipeline's experiments."""
    return [stage for name in pipeline.experiments for stage in _said(name).stages(config)]


def profile(current: str) -> str:
    """The SLURM profile with the groups as they follow from the list of experiments."""
    before, _, rest = current.partition(GROUPS_START)
    _, _, after = rest.partition(GROUPS_END)
    groups: dict[str, list[str]] = copy.deepcopy(SHARED_GROUPS)
    for name in EXPERIMENTS:
        for group, rules in _said(name).GROUPS.items():
            groups.setdefault(group, []).extend(rules)
    lines = ["groups:", *(f"  {rule}: {group}" for group, rules in groups.items() for rule in rules), ""]
    lines += ["# How many jobs of a group that do not depend on each other may be together.", "group-components:"]
    lines += [f"  {group}: {COMPONENTS.get(group, 100)}" for group in groups]
    return f"{before}{GROUPS_START}" + "\n".join(lines) + f"\n{GROUPS_END}{after}"


def jobs_of(config: Mapping[str, Any], targets: Iterable[str]) -> dict[str, Jobs]:
    """For each target all jobs behind it by rule and wildcards, whatever is already there; in the current folder."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        call = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=copy.deepcopy(dict(config))),
            snakefile=Path("Snakefile"),
        )
        call.dag(DAGSettings(targets=set(targets), forceall=True))
        workflow = call._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        dag = workflow.dag
        found = {}
        for target in targets:
            (last,) = [job for job in dag.jobs if job.rule.name == target]
            behind, waiting = {}, [last]
            while waiting:
                job = waiting.pop()
                if job not in behind:
                    behind[job] = Job(
                        frozenset(map(str, job.input)), frozenset(map(str, job.output)), repr(list(job.params.items()))
                    )
                    waiting.extend(dag.dependencies[job])
            found[target] = {(job.rule.name, str(job.wildcards)): said for job, said in behind.items() if said.outputs}
        return found


def jobs_of_stages(config: Mapping[str, Any], stages: Iterable[Stage]) -> dict[str, Jobs]:
    """The jobs of each stage by its name: those for its target that no stage before it has."""
    stages = list(stages)
    by_target = jobs_of(config, dict.fromkeys(stage.target for stage in stages))
    earlier: set[tuple[str, str]] = set()
    result = {}
    for stage in stages:
        found = by_target[stage.target]
        result[stage.name] = {key: job for key, job in found.items() if key not in earlier}
        earlier |= set(found)
    return result


def outs_of(jobs: Mapping[str, Jobs], results: str) -> dict[str, str]:
    """Each out and its stage: the highest folders below the results, or else files, that one stage alone writes to.

    What is measured differs each time: folders that hold it beside other results are divided.
    """
    makers = {
        path: stage
        for stage, found in jobs.items()
        for job in found.values()
        for path in job.outputs
        if path.startswith(results)
    }
    owners: dict[str, set[tuple[str, bool]]] = {}
    for path, stage in makers.items():
        for place in _places(path, results):
            owners.setdefault(place, set()).add((stage, MEASURED in path.split("/")))
    outs = {}
    for path, stage in makers.items():
        outs[next(place for place in _places(path, results) if len(owners[place]) == 1)] = stage
    order = {stage: number for number, stage in enumerate(jobs)}
    return dict(sorted(outs.items(), key=lambda item: (order[item[1]], item[0])))


def within(path: str, place: str) -> bool:
    """Whether a path is a place or lies in it."""
    return path == place or path.startswith(f"{place}/")


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


def params_of(stage: Stage, layers: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """For each configuration file the keys of a stage that it sets and no later file replaces."""
    found = {}
    for number, (path, layer) in enumerate(layers.items()):
        replaced = {key for later in list(layers.values())[number + 1 :] for key in leaves(later)}
        kept = [key for key in leaves(layer) if key not in replaced]
        entries = [entry for entry in stage.params if any(below(key, [entry]) for key in kept)]
        found |= {path: entries} if entries else {}
    return found


def below(key: str, entries: Iterable[str]) -> bool:
    """Whether a dotted key is one of the entries or lies below one."""
    return any(key == entry or key.startswith(f"{entry}.") for entry in entries)


def _said(experiment: str) -> Any:
    """What an experiment says of itself."""
    return import_module(f"multilabel.experiments.{experiment}.stages")


def _places(path: str, results: str) -> Iterator[str]:
    """A path's folders below the results, from the highest down, then itself."""
    parts = path.removeprefix(results).split("/")
    for count in range(1, len(parts) + 1):
        yield results + "/".join(parts[:count])


def _general(path: str, config: configuration.Config) -> str:
    return path.replace(f"results/{config.dataset_id}", DATASET, 1)


def _command(target: str, pipeline: Pipeline) -> str:
    named = f" --configfile {pipeline.layers[-1]}" if len(pipeline.layers) > 1 else ""
    return f"python workflow/versions.py run {target}{named}"


def _plot(plot: Plot, path: str) -> dict[str, Any]:
    return {plot.title: {"template": plot.template, "x": plot.x, "y": {path: plot.y}}}


if __name__ == "__main__":
    main()
