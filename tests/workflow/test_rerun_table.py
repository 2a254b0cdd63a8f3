"""What each of some edits runs again, as docs/reruns.md says it: this test has written the table there.

WRITE=1 python -m pytest tests/workflow/test_rerun_table.py
"""

import os
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from multilabel.experiments import EXPERIMENTS

from .conftest import ROOT, SMALLEST, copy_project, planned

PAGE = ROOT / "docs/reruns.md"
START, END = "<!-- The table, written by tests/workflow/test_rerun_table.py -->\n", "<!-- The end of the table -->\n"
IMAGES = "results/shapes_smallest/data"
COSTLY = re.compile(
    r"pretrain|(\w+_)?(features|top_models_\w+)|learning_curve|independent|finetune|miml_splits_\d+|single_label"
    r"|predict_\w+|designs_(model\d\w*|features)|single_positive_(linear\w*|end_to_end\w*)|miml_(run|features\w*)"
)
Edit = Callable[[Path], dict | None]


def setting(**sections: dict) -> Edit:
    """Other values in some sections of the configuration."""
    return lambda folder: sections


def line(module: str) -> Edit:
    """A line of code more in a module of the library."""
    return lambda folder: _add(folder / "workflow/multilabel" / module, "\n\nNEW = 1\n")


def comment(file: str) -> Edit:
    """A comment more in a file."""
    return lambda folder: _add(folder / file, "\n# another comment\n")


def touch(file: str) -> Edit:
    """A file's time, and nothing else."""
    return lambda folder: next(folder.glob(file)).touch()


def docstring(folder: Path) -> None:
    """Other words in a docstring."""
    path = folder / "workflow/multilabel/datasets/coco.py"
    path.write_text(re.sub(r'\n    """(?=\w)', '\n    """Other words. ', path.read_text()))


def overwritten(split: str) -> Edit:
    """Another image in the place of one."""

    def overwrite(folder: Path) -> None:
        first, second, *_ = sorted((folder / IMAGES / split).glob("[!.]*"))
        first.write_bytes(second.read_bytes())

    return overwrite


def stray(folder: Path) -> None:
    """A file beside the images."""
    (folder / IMAGES / "train/notes.txt").write_text("of no image")


def removed(file: str) -> Edit:
    """A result that is not there any more."""
    return lambda folder: (folder / file).unlink()


def _add(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


EXTRA = "zmuvs_{77_1x8bn_lr52_b16,avgzca_1x8d5_lr11_b32}"  # the smallest demo's
EDITS: dict[str, Edit] = {
    "`features.workers`, threads that decode": setting(features={"workers": 2}),
    "`dataset.damaged_images: skip`": setting(dataset={"damaged_images": "skip"}),
    "`grid.runs_per_job`": setting(grid={"runs_per_job": 1}),
    "`grid.extra`: one more run": setting(grid={"extra": [EXTRA, "zmuvs_avg_1x4d5_lr11_b32"]}),
    "`grid.seeds`: one more": setting(grid={"seeds": 4}),
    "`grid.patience`": setting(grid={"patience": 2}),
    "`finetune.momentum`": setting(finetune={"momentum": 0.5}),
    "`learning_curve.sizes`": setting(learning_curve={"sizes": [20, 40]}),
    "`evaluation.k`": setting(evaluation={"k": 2}),
    "`evaluation.ties`": setting(evaluation={"ties": 9}),
    "`figures.fig5a`: another run": setting(figures={"fig5a": ["zmuvs_avg_1x8d5_lr11_b32", "inet_avg_1x8d5_lr11_b32"]}),
    "`miml.splits`: more of them": setting(miml={"splits": 6}),
    "a line in `evaluation/metrics.py`": line("evaluation/metrics.py"),
    "a line in `report/figures.py`": line("report/figures.py"),
    "a line in `training/loop.py`": line("training/loop.py"),
    "a line in `logs.py`": line("logs.py"),
    "a comment in `scripts/features.py`": comment("workflow/scripts/features.py"),
    "a comment in `rules/features.smk`": comment("workflow/rules/features.smk"),
    "docstrings in `datasets/coco.py`": docstring,
    "`touch` of `scripts/labels.py`": touch("workflow/scripts/labels.py"),
    "`touch` of an image": touch(f"{IMAGES}/train/[!.]*"),
    "another test image in the place of one": overwritten("val"),
    "another training image in the place of one": overwritten("train"),
    "a stray file beside the images": stray,
    "a figure removed": removed("results/shapes_smallest/figures/fig5a.pdf"),
}


def jobs_after(edit: Edit, folder: Path) -> Counter[str]:
    """The jobs of all experiments that an edit in a folder runs again."""
    content = yaml.safe_load(SMALLEST.read_text())
    for section, values in (edit(folder) or {}).items():
        content[section] = content.get(section, {}) | values
    config = folder / "edited.yaml"
    config.write_text(yaml.safe_dump(content))
    return planned(folder, *EXPERIMENTS, config=config)


def table(finished: Path, place: Path) -> str:
    """The table, with each edit made in a copy of the finished project."""

    def row(number_and_edit: tuple[int, tuple[str, Edit]]) -> str:
        number, (words, edit) = number_and_edit
        jobs = jobs_after(edit, copy_project(place / str(number), finished, "results", ".snakemake"))
        costly = sum(count for name, count in jobs.items() if COSTLY.fullmatch(name))
        return f"| {words} | {sum(jobs.values())} | {costly} |"

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(row, enumerate(EDITS.items())))
    return "\n".join(["| edit | jobs | of them train, extract or predict |", "| --- | ---: | ---: |", *rows, ""])


def test_the_docs_say_what_each_edit_runs_again(finished, tmp_path):
    made = table(finished, tmp_path)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    written, _, after = rest.partition(END)
    if os.environ.get("WRITE"):
        PAGE.write_text(f"{before}{START}{made}{END}{after}", encoding="utf-8")
        return
    assert written == made, "run WRITE=1 python -m pytest tests/workflow/test_rerun_table.py"
