"""The rooms: what the shared parts may know of experiments, and experiments of each other."""

import ast
import re
from pathlib import Path

import pytest

from multilabel.experiments import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflow"
LIBRARY = WORKFLOW / "multilabel"
LIST = LIBRARY / "experiments/__init__.py"
LONGEST = 450
# From the ground up: a package imports from itself and from those before it.
FLOORS = [
    *["files", "arrays", "logs", "devices", "checksums", "provenance", "experiments", "stages", "methods"],
    *["datasets", "images", "networks", "features", "evaluation", "training", "report", "export", "config", "cli"],
]


def room_of(path: Path) -> str | None:
    """The experiment to which a file belongs; None for the shared parts."""
    inner = path.relative_to(WORKFLOW)
    return next((name for name in EXPERIMENTS if name in (*inner.parts, inner.stem)), None)


def modules() -> list[Path]:
    return sorted(LIBRARY.rglob("*.py"))


def shared() -> list[Path]:
    """Every file of code that belongs to no experiment, but the list of them."""
    code = [*WORKFLOW.rglob("*.py"), *WORKFLOW.rglob("*.smk")]
    return [ROOT / "Snakefile", *sorted(path for path in code if room_of(path) is None and path != LIST)]


def imports(path: Path) -> set[str]:
    """The modules of the library that a file imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("multilabel.") for name in found if name.startswith("multilabel.")}


def test_no_shared_file_names_an_experiment():
    """In code, that is: a docstring may say whose definition a metric follows."""
    names = "|".join(EXPERIMENTS)
    pattern = re.compile(
        rf"experiments[./]({names})\b|config[./]({names})\b|(CONFIG|rules|config)\.({names})\b"
        rf"""|["']({names})["']|["/]({names})/|\b({names})\.smk"""
    )
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}" for path in shared() for match in pattern.finditer(path.read_text())
    }
    assert found == set()


def test_experiments_do_not_import_each_other():
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in WORKFLOW.rglob("*.py")
        for name in imports(path)
        for other in EXPERIMENTS
        if room_of(path) is not None
        and other != room_of(path)
        and name.startswith((f"experiments.{other}", f"config.{other}"))
    }
    assert found == set()


def test_shared_parts_import_no_experiment():
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in shared()
        if path.suffix == ".py"
        for name in imports(path)
        if name.startswith("experiments.") and name.split(".")[1] in EXPERIMENTS
    }
    assert found == set()


def test_shared_packages_import_downwards():
    found = []
    for path in modules():
        if room_of(path) is not None or LIBRARY / "experiments" in path.parents:
            continue
        own = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        if own.startswith("__"):
            continue
        for name in imports(path):
            package = name.split(".")[0]
            if package in FLOORS and FLOORS.index(package) > FLOORS.index(own):
                found.append(f"{path.relative_to(LIBRARY)} imports {name}")
    assert found == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {}
    for path in modules():
        name = ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = imports(path)
    graph = {
        name: {
            target if target in graph else target.rpartition(".")[0]
            for target in targets
            if target in graph or target.rpartition(".")[0] in graph
        }
        - {name}
        for name, targets in graph.items()
    }
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])


def test_no_module_is_long():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in WORKFLOW.rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def defined(path: Path) -> set[str]:
    """The names that a file of rules defines for all that are included after it."""
    return set(re.findall(r"^(?:def )?([A-Za-z_]\w*)(?=\(.*\):$| = )", path.read_text(), re.MULTILINE))


def files_of(experiment: str) -> list[Path]:
    return [path for path in sorted((WORKFLOW / "rules").rglob("*.smk")) if room_of(path) == experiment]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_rules_use_names_of_their_own_experiment_and_of_the_shared_stages_only(experiment):
    own = set().union(*map(defined, files_of(experiment)))
    text = "\n".join(re.sub(r"#.*", "", path.read_text()) for path in files_of(experiment))
    for other in EXPERIMENTS:
        if other == experiment:
            continue
        others = set().union(*map(defined, files_of(other)))
        rules = {name for path in files_of(other) for name in re.findall(r"^rule (\w+):", path.read_text(), re.M)}
        assert own & others == set(), f"both {experiment} and {other} define these"
        assert {name for name in others if re.search(rf"\b{name}\b", text)} == set(), (
            f"{experiment} uses names of {other}"
        )
        assert {name for name in rules if f"rules.{name}." in text} == set(), f"{experiment} uses rules of {other}"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_has_its_room_on_every_floor(experiment):
    places = ["workflow/multilabel/config/{}.py", "workflow/multilabel/experiments/{}/stages.py"]
    places += ["workflow/rules/{}.smk", "workflow/report/{}", "docs/{}.md", "tests/unit/{}"]
    assert [place for place in places if not (ROOT / place.format(experiment)).exists()] == []
