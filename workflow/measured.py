"""Write docs/measured.md: the tables of finished results that the docs speak of (`make measured`).

    python workflow/measured.py shapes_demo msrc_own

Each argument is a dataset with finished results; those that are not named keep their part of the page.
"""

import re
import sys
from pathlib import Path

import yaml

from multilabel.files import complete_or_absent, read_json

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/measured.md"
HEAD = """\
# What was measured

Tables of finished runs, copied by `make measured`; nothing here is typed. Times are of the machine that is named.
"""
_LISTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
DATASETS: dict[str, list[str]] = _LISTS["datasets"]
TABLES: dict[str, str] = _LISTS["tables"]


def main(datasets: list[str]) -> None:
    """Write the page."""
    unknown = [name for name in datasets if name not in DATASETS]
    if unknown or not datasets:
        sys.exit(f"expected names among {', '.join(DATASETS)}, found {', '.join(unknown) or 'none'}")
    parts = parts_of(PAGE.read_text(encoding="utf-8") if PAGE.exists() else "")
    parts |= {name: part(name) for name in datasets}
    text = "\n".join([HEAD, *(parts[name].rstrip() + "\n" for name in DATASETS if name in parts)])
    with complete_or_absent(PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def parts_of(text: str) -> dict[str, str]:
    """The parts of a page by their datasets."""
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    titles = {title: name for name, (title, _) in DATASETS.items()}
    return {titles[one.splitlines()[0].removeprefix("## ")]: one for one in found}


def part(name: str) -> str:
    """The part of a dataset, from its results.

    Raises:
        SystemExit: none of its tables is finished.
    """
    results = ROOT / "results" / name
    finished = {table: results / f"{table}.md" for table in TABLES if (results / f"{table}.md").exists()}
    if not finished:
        sys.exit(f"{results}: expected finished tables, such as {next(iter(TABLES))}.md, found none")
    title, what = DATASETS[name]
    (record, *_) = sorted(results.glob("top_models/*/run.json"))
    machine = ", ".join(read_json(record)["machine"].values())
    lines = [f"## {title}", "", f"{what}. Machine: {machine}.", ""]
    for table, path in finished.items():
        lines += [f"### {TABLES[table]}", "", path.read_text(encoding="utf-8").strip(), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
