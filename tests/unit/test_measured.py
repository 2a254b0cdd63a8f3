"""The page of measured tables is copied from results, and a dataset that is not named keeps its part."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """The script, with results and page in a folder of the test."""
    script = runpy.run_path(str(ROOT / "workflow/measured.py"))
    for name, value in {"ROOT": tmp_path, "PAGE": tmp_path / "docs/measured.md"}.items():
        monkeypatch.setitem(script["main"].__globals__, name, value)
    return script


def finish(folder, name, number):
    results = folder / "results" / name
    for path, text in {
        "comparison/tables/quality.md": f"Every method: {number}\n",
        "top_models/run/run.json": '{"machine": {"system": "Linux", "processor": "A fast one"}}',
    }.items():
        (results / path).parent.mkdir(parents=True, exist_ok=True)
        (results / path).write_text(text)


def test_tables_are_copied_under_their_dataset_with_the_machine(measured, tmp_path):
    finish(tmp_path, "shapes_demo", 0.5)
    measured["main"](["shapes_demo"])
    page = (tmp_path / "docs/measured.md").read_text()
    assert page.startswith("# What was measured\n")
    assert "## The demo\n" in page
    assert "Machine: Linux, A fast one." in page
    assert "### Every method\n\nEvery method: 0.5\n" in page
    assert "Where labels look" not in page  # not finished


def test_other_datasets_keep_their_part(measured, tmp_path):
    for name, number in (("shapes_demo", 0.5), ("msrc_own", 0.7)):
        finish(tmp_path, name, number)
    measured["main"](["shapes_demo", "msrc_own"])
    finish(tmp_path, "shapes_demo", 0.6)
    measured["main"](["shapes_demo"])
    page = (tmp_path / "docs/measured.md").read_text()
    assert "0.5" not in page
    assert page.index("Every method: 0.6") < page.index("Every method: 0.7")
    again = page
    measured["main"](["msrc_own"])
    assert (tmp_path / "docs/measured.md").read_text() == again


def test_unfinished_results_and_unknown_names_are_told(measured, tmp_path):
    with pytest.raises(SystemExit, match="expected finished tables, such as comparison"):
        measured["main"](["shapes_demo"])
    with pytest.raises(SystemExit, match="expected names among shapes_demo, msrc_own, found mnist"):
        measured["main"](["mnist"])
    assert not (tmp_path / "docs").exists()


def test_the_page_in_the_project_has_parts_of_known_datasets():
    script = runpy.run_path(str(ROOT / "workflow/measured.py"))
    parts = script["parts_of"]((ROOT / "docs/measured.md").read_text())
    assert parts
    assert set(parts) <= set(script["DATASETS"])
