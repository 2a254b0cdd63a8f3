"""Snakemake's report of the finished smallest demo, read in a browser."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from chromium import tab

from multilabel.experiments import EXPERIMENTS

from .conftest import run_snakemake

# Opens each category and kind of result, looks at each result, and reads its description.
READ = """
const click = element => element.dispatchEvent(new MouseEvent("click", {bubbles: true}));
const menu = name => [...document.querySelectorAll("li a")].find(link => link.textContent === name);
const rows = () => [...document.querySelectorAll("tbody tr")];
const pause = () => new Promise(resolve => setTimeout(resolve, 20));
const until = async met => {
    for (let n = 0; n < 200 && !met(); n++) await pause();
    return met();
};
const open = async name => {
    click(await until(() => document.querySelector("nav ol a")));  // home
    await pause();
    click(await until(() => menu(name)));
};
const seen = {};
for (const category of Object.keys(categories)) for (const [kind, paths] of Object.entries(categories[category])) {
    const entries = paths.map(path => results[path]);
    const count = new Set(entries.map(result => result.labels.result)).size;
    for (let i = 0; i < count; i++) {
        await open(category);
        click(await until(() => menu(kind)));
        await until(() => rows().length === count);
        const title = rows()[i].querySelector("td").textContent;
        const [eye, sign] = rows()[i].querySelectorAll("a");
        const wanted = entries.find(
            result => result.labels.result === title && result.labels.form === "on screen"
        );
        const shown = () => [...document.querySelectorAll("img, iframe")].find(place => place.src === wanted.data_uri);
        click(eye);
        const width = await until(() => shown()?.naturalWidth ?? shown()?.clientWidth);
        click(sign);
        const caption = await until(() => document.querySelector("li.prose, li .prose")?.textContent);
        seen[`${category}: ${kind}: ${title}`] = {width, caption};
    }
}
await open("Statistics");
const charts = () => document.querySelectorAll("canvas").length;
await until(() => charts() === 2);
return {seen, charts: charts(), paths: Object.keys(results)};
"""


class Reading(NamedTuple):
    """What a reader of the page finds, and the addresses that it asked for."""

    found: Any
    requests: list[str]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """Where the report is written."""
    return tmp_path_factory.mktemp("report") / "report.html"


@pytest.fixture(scope="module")
def report(finished, page) -> Reading:
    """What a reader of the report finds."""
    with tab() as browser:
        result = run_snakemake(finished, "--report", str(page), "--", *EXPERIMENTS)
        assert result.returncode == 0, result.stdout
        browser.open(page)
        return Reading(browser.get(f"(async () => {{ {READ} }})()"), browser.requests)


def test_every_table_and_figure_is_in_it(report, finished):
    results = finished / "results/shapes_smallest"
    folders = [folder for kind in ("tables", "figures") for folder in results.rglob(kind)]
    files = [path for folder in folders for path in folder.iterdir()]
    wanted = {str(path.relative_to(finished)) for path in files if path.suffix in (".html", ".csv", ".png", ".pdf")}
    assert len(wanted) > 40
    assert wanted <= set(report.found["paths"])


def test_every_result_can_be_looked_at(report):
    seen = report.found["seen"]
    assert len(seen) == len(report.found["paths"]) / 2
    assert [title for title, result in seen.items() if not result["width"] or result["width"] < 300] == []


def test_every_result_has_a_caption(report):
    assert [title for title, result in report.found["seen"].items() if not result["caption"]] == []


def test_run_times_are_drawn(report):
    assert report.found["charts"] == 2


def test_it_asks_nothing_of_the_network(report, page):
    assert report.requests == [page.as_uri()]
