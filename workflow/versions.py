"""Between DVC, which versions results, and Snakemake, which makes them and knows what they were made from.

    python workflow/versions.py run all_features    what a stage of dvc.yaml calls: make a target, or refuse
    python workflow/versions.py restore             after dvc pull or dvc checkout: the files count as made here
    python workflow/versions.py verify              are files still those that runs were made from?
    python workflow/versions.py prune [--yes]       list, or remove, runs that the configuration no longer names

Each takes --configfile as Snakemake does: config/demo.yaml goes with demo/dvc.yaml. CORES in the environment limits the
cores. Snakemake keeps what each file was made from in .snakemake, which neither Git nor DVC copies. Of files that came
by DVC it therefore cannot tell whether they fit the configuration.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path

import yaml

from multilabel import checksums, provenance
from multilabel.experiments import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[1]
MADE = ("results", "resources")
RUN_FOLDERS = ("predictions", "metrics", "tensorboard")
"""Folders whose entries are runs, whatever experiment they are of; experiments name further ones."""


def main() -> None:
    """Read the command line and do what it asks, in the project's folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--configfile", help="as for Snakemake; none: config/config.yaml")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run", parents=[shared], help="make a target, unless files came from elsewhere")
    command.add_argument("target", help="such as all_features")
    command.set_defaults(do=lambda given: run(given.target, given.configfile))
    command = commands.add_parser("restore", parents=[shared], help="files that DVC brought count as made here")
    command.set_defaults(do=lambda given: restore(given.configfile))
    command = commands.add_parser("verify", parents=[shared], help="compare files with what was made from them")
    command.set_defaults(do=lambda given: verify(given.configfile))
    command = commands.add_parser("prune", parents=[shared], help="runs that the configuration no longer names")
    command.add_argument("--yes", action="store_true", help="remove them")
    command.set_defaults(do=lambda given: prune(given.configfile, remove=given.yes))
    given = parser.parse_args()
    os.chdir(ROOT)
    given.do(given)


def run(target: str, configfile: str | None) -> None:
    """Make a target. Refuse where a file of it lies there that Snakemake did not make: DVC would lock it as new."""
    # Which files a target has, only Snakemake knows; asking it takes seconds, which most calls can do without.
    strangers = [path for path in _outputs([target], configfile) if _is_stranger(path)] if _has_strangers() else []
    if strangers:
        sys.exit(
            f"Refused; nothing was run, nothing is locked. {len(strangers)} file(s) for {target} were not made here, "
            f"such as {strangers[0]}.\nThey came by DVC; whether they fit the configuration is not known. First run\n\n"
            f"    {_command('restore', configfile)}\n\n"
            "with configuration and code as committed: git stash puts edits aside, git stash pop brings them back."
        )
    sys.exit(subprocess.run(_snakemake(target, configfile=configfile), env=_environment(), check=False).returncode)


def restore(configfile: str | None) -> None:
    """Have Snakemake take the results that are there as its own; refuse where they are not what dvc.lock says."""
    stages = _stages(configfile)
    if not stages.with_name("dvc.lock").exists():
        sys.exit(f"Refused: there is no {stages.with_name('dvc.lock')}, so nothing that could have been pulled.")
    differing = json.loads(_read([sys.executable, "-m", "dvc", "status", "--json", str(stages)]))
    if differing:
        changes = "\n".join(f"  {stage}: {_in_words(changes)}" for stage, changes in differing.items())
        sys.exit(
            f"Refused: what is here is not what dvc.lock says.\n{changes}\n"
            f"Files are missing? dvc pull {stages}. Configuration or code were edited? Put that aside (git stash), "
            "restore, and bring it back (git stash pop)."
        )
    targets = _targets(stages)
    _require_inputs(_outputs(targets, configfile))
    _read(_snakemake(*targets, "--touch", "--forceall", configfile=configfile))
    outputs = _outputs(targets, configfile)
    missing = [path for path in outputs if not path.exists()]
    print(f"Restored: Snakemake takes {len(outputs) - len(missing)} files as made here.")
    if missing:
        print("Not here, and made again only if something needs it:", *missing, sep="\n  ")


def verify(configfile: str | None) -> None:
    """Compare every file that runs were made from with what they recorded of it."""
    count = _require_inputs(_outputs(EXPERIMENTS, configfile))
    print(f"Verified: {count} files are those that runs were made from.")


def prune(configfile: str | None, *, remove: bool) -> None:
    """List the runs of any experiment that the configuration does not name, and remove them if asked."""
    outputs = _outputs(EXPERIMENTS, configfile)
    results, _ = Counter(Path(*path.parts[:2]) for path in outputs if path.parts[0] == MADE[0]).most_common(1)[0]
    named_folders = (import_module(f"multilabel.experiments.{name}.stages").RUN_FOLDERS for name in EXPERIMENTS)
    wanted = {path for output in outputs for path in (output, *output.parents)}
    named = {path.name.removesuffix(".json") for path in wanted}
    old = [
        path
        for folder in dict.fromkeys(chain(RUN_FOLDERS, *named_folders))
        for place in sorted(results.rglob(folder))  # those of baselines and further seeds, and of timings, too
        for path in sorted(place.glob("*"))
        if path not in wanted and not (folder == "tensorboard" and path.name in named)
    ]
    if not old:
        print(f"Every run in {results} is named by the configuration.")
        return
    print("Removed:" if remove else "Not named by the configuration:", *old, sep="\n  ")
    if not remove:
        print(f"To remove them: {_command('prune', configfile)} --yes")
        return
    for path in old:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if _stages(configfile).with_name("dvc.lock").exists():
        print(f"dvc.lock still names them. For it to forget them: dvc commit --force {_stages(configfile)}")


def _require_inputs(outputs: Iterable[Path]) -> int:
    """Refuse where runs were made from other files than there are; give the number of files compared."""
    os.environ.setdefault(checksums.VARIABLE, str(Path(".snakemake/checksums.json").resolve()))
    try:
        return provenance.require_inputs(path for path in outputs if path.name == "run.json" and path.exists())
    except ValueError as error:
        sys.exit(f"Refused: {error}")


def _stages(configfile: str | None) -> Path:
    """The DVC file that goes with a configuration: dvc.yaml, or that of a folder with the configuration's name."""
    path = Path("dvc.yaml") if configfile is None else Path(Path(configfile).stem, "dvc.yaml")
    if not path.exists():
        sys.exit(f"--configfile {configfile}: expected its stages in {path}, which does not exist.")
    return path


def _targets(stages: Path) -> list[str]:
    """The targets that the stages of a DVC file call."""
    content = yaml.safe_load(stages.read_text(encoding="utf-8"))
    return [stage["cmd"].split()[3] for stage in content["stages"].values()]


def _command(name: str, configfile: str | None) -> str:
    """What the user types for a command of this file."""
    return " ".join([f"python workflow/versions.py {name}", *([f"--configfile {configfile}"] if configfile else [])])


def _snakemake(*arguments: str, configfile: str | None) -> list[str]:
    """The command that calls Snakemake."""
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", os.environ.get("CORES", "all")]
    return [*command, "--configfile", configfile] if configfile else command


def _environment() -> dict[str, str]:
    """In which Snakemake's jobs find this Python, whether its environment is active or not."""
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def _read(command: Sequence[str]) -> str:
    """What a command writes to standard output; its failure ends this program."""
    result = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout


def _outputs(targets: Iterable[str], configfile: str | None) -> list[Path]:
    """Every file and folder that is made for some targets, in any order."""
    header, *lines = _read(_snakemake(*targets, "--summary", configfile=configfile)).splitlines()
    column = header.split("\t").index("output_file")
    return [Path(line.split("\t")[column]) for line in lines]


def _has_strangers() -> bool:
    """Whether anything where rules write is a stranger, whatever target it may be of."""
    for folder, inner, files in chain.from_iterable(map(os.walk, MADE)):
        place = Path(folder)
        if (place / ".snakemake_timestamp").exists():  # an output as a whole
            inner.clear()
            files = ["."]
        if any(_is_stranger(place / name) for name in files):
            return True
    return False


def _is_stranger(path: Path) -> bool:
    """Whether a file is there that Snakemake did not write, or that was replaced after Snakemake wrote it.

    What a killed job left does not count: Snakemake makes it again.
    """
    if not path.exists() or _record("incomplete", path) is not None:
        return False
    record = _record("metadata", path)
    stamp = path / ".snakemake_timestamp"
    changed = (stamp if stamp.exists() else path).stat().st_mtime
    return record is None or abs(changed - record["endtime"]) > 1


def _record(kind: str, path: Path) -> dict | None:
    """What Snakemake keeps of an output: `metadata` of a finished one, a mark of an `incomplete` one."""
    name = urlsafe_b64encode(str(path).encode()).decode()
    longest = os.pathconf(".", "PC_NAME_MAX") - 1
    *first, last = [name[start : start + longest] for start in range(0, len(name), longest)]
    place = Path(".snakemake", kind, *(f"@{part}" for part in first), last)
    return json.loads(place.read_text()) if place.exists() else None


def _in_words(changes: Sequence[str | dict[str, dict[str, str | dict[str, str]]]]) -> str:
    """What `dvc status` says of a stage, in one line."""
    parts = []
    for change in changes:
        for kind, entries in change.items() if isinstance(change, dict) else [(change, {})]:
            named = ", ".join(
                f"{path} {state}" if isinstance(state, str) else f"{path}: {', '.join(state)}"
                for path, state in entries.items()
            )
            parts.append(f"{kind} {named}".strip())
    return "; ".join(parts)


if __name__ == "__main__":
    main()
