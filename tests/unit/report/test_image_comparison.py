"""The page that compares models: what is in it, and how two of them are compared by clicks and keys in a browser."""

import io
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from tests.chromium import tab

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import metrics
from multilabel.report import image_comparison
from multilabel.report.image_comparison import Model

CLASSES = ["cat", "dog", "bird", "horse"]
NAMES = ["a.jpg", "b.jpg", "c.jpg"]
TRUTH = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
ONE = Model("one", [[0.9, 0.2, 0.6, 0.1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.1, 0.8, 0.1]], [0.5] * 4)
OTHER = Model("other", [[0.3, 0.7, 0.1, 0.2], [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.4, 0.3]], [0.25, 0.5, 0.5, 0.5])
OUTCOMES = ["both", "only-a", "only-b", "neither"]


def picture():
    content = io.BytesIO()
    Image.new("RGB", (16, 12), (80, 80, 80)).save(content, "JPEG")
    return content.getvalue()


def page(**changes):
    content = {"classes": CLASSES, "file_names": NAMES, "truth": TRUTH, "models": [ONE, OTHER]}
    return image_comparison.page("Images", "of a test", **content | {"pictures": [picture()] * 3} | changes)


def data(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text).group(1))


# What is in the page


def test_listed_are_the_labels_that_are_true_or_that_a_model_predicts():
    content = data(page())
    assert content["counts"] == [3, 0, 1]
    assert [CLASSES[label] for label in content["labels"]] == ["cat", "dog", "bird", "bird"]
    assert content["true"] == "1101"


def test_each_model_has_its_decisions_scores_and_ranks_of_all_listed_labels():
    one, other = data(page())["models"]
    assert (one["predicted"], other["predicted"]) == ("1011", "1100")
    assert (one["scores"], other["scores"]) == ([900, 200, 600, 800], [300, 700, 100, 400])
    assert (one["ranks"], other["ranks"]) == ([1, 3, 2, 1], [2, 1, 4, 1])


def test_each_model_has_the_average_precision_of_each_image_that_has_labels():
    one, other = data(page())["models"]
    assert one["precision"] == [round(1000 * (1 + 2 / 3) / 2), None, 1000]
    assert other["precision"] == [1000, None, 1000]


def test_a_masked_label_counts_for_no_model():
    """The false label that the first model predicts: without it the true ones come first."""
    content = data(page(truth=np.ma.masked_array(TRUTH, [[0, 0, 1, 0], [0] * 4, [0] * 4])))
    assert content["counts"] == [2, 0, 1]
    assert content["models"][0]["precision"][0] == 1000
    assert content["models"][0]["ranks"] == [1, 2, 1]


def test_a_label_without_a_score_of_one_model_counts_for_no_other():
    scores = np.ma.masked_array(OTHER.scores, [[1, 0, 0, 0], [0] * 4, [0] * 4])
    content = data(page(models=[ONE, Model("other", scores, OTHER.thresholds)]))
    assert content["counts"] == [2, 0, 1]


def test_names_cannot_break_the_page():
    models = [ONE._replace(title="</script><b>"), OTHER._replace(title="@thumbnails@")]
    content = data(page(models=models, classes=["<!--", "x", "y", "@data@"]))
    assert [model["title"] for model in content["models"]] == ["</script><b>", "@thumbnails@"]
    assert content["classes"] == ["<!--", "x", "y", "@data@"]


def test_nothing_outside_of_the_page_is_named():
    assert not re.findall(r"https?://|src=|url\(|@import|href=\"(?!data:)", page().split('id="data"')[0])


def test_the_same_models_give_the_same_page():
    assert page() == page()


def test_the_page_of_images_in_a_folder_is_written(tmp_path):
    for name in NAMES:
        Image.new("RGB", (320, 240)).save(tmp_path / name)
    labels = LabelMatrix(np.arange(3), NAMES, CLASSES, TRUTH)
    path = tmp_path / "page.html"
    image_comparison.write(path, "Images", "of a test", labels=labels, images=tmp_path, models=[ONE, OTHER])
    text = path.read_text(encoding="utf-8")
    assert data(text) == data(page())
    assert len(re.search(r'id="thumbnails">(.*?)</script>', text, re.DOTALL).group(1).split("\n")) == 3


def test_a_single_model_is_an_error():
    with pytest.raises(ValueError, match="expected at least 2 models to compare, found 1"):
        page(models=[ONE])


def test_scores_of_other_images_are_an_error_that_names_the_model():
    with pytest.raises(ValueError, match=r"other: expected truth and scores of one shape.* scores \(2, 4\)"):
        page(models=[ONE, OTHER._replace(scores=OTHER.scores[:2])])


def test_thresholds_of_other_classes_are_an_error_that_names_the_model():
    with pytest.raises(ValueError, match=r"other: expected a threshold for each of 4 classes, found .* \(3,\)"):
        page(models=[ONE, OTHER._replace(thresholds=[0.5] * 3)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file_names": NAMES[:2]}, "expected 3 file names, found 2"),
        ({"pictures": []}, "expected a thumbnail for each of 3 images, found 0"),
    ],
)
def test_other_numbers_of_names_or_thumbnails_than_images_are_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        page(**changes)


# How it is used


class Made(NamedTuple):
    """A page, and the labels, scores and thresholds in it."""

    path: Path
    truth: np.ndarray
    models: list[Model]

    def predicted(self, model):
        return self.models[model].scores >= self.models[model].thresholds

    def outcomes(self, a=0, b=1):
        """Which pairs of image and label have which of the four outcomes, by their names in the page."""
        of_a, of_b = self.predicted(a), self.predicted(b)
        right_a, right_b = of_a == self.truth, of_b == self.truth
        counts = self.truth | of_a | of_b
        pairs = (right_a & right_b, right_a & ~right_b, ~right_a & right_b, ~right_a & ~right_b)
        return {name: counts & where for name, where in zip(OUTCOMES, pairs, strict=True)}

    def precision(self, model):
        of_images = metrics.average_precision_per_image(self.truth, self.models[model].scores)
        return np.where(self.truth.any(axis=1), np.rint(1000 * of_images), np.nan)


@pytest.fixture(scope="module")
def browser():
    with tab() as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page of three models that find more and more of the labels of 300 images, 20 classes."""
    rng, shape = np.random.default_rng(0), (300, 20)
    truth = rng.random(shape) < 0.13
    models = [
        Model(
            f"model {number}",
            np.clip(0.1 * number * truth + 0.6 * rng.random(shape) ** 2, 0, 1).astype(np.float32),
            np.full(20, 0.42, np.float32),
        )
        for number in (1, 2, 3)
    ]
    text = page(
        classes=[f"class {j}" for j in range(20)],
        file_names=[f"{row:05}.jpg" for row in range(300)],
        truth=truth,
        models=models,
        pictures=[picture()] * 300,
    )
    path = tmp_path_factory.mktemp("page") / "comparison.html"
    path.write_text(text, encoding="utf-8")
    return Made(path, truth, models)


@pytest.fixture
def shown(browser, made):
    """The page, freshly opened."""
    browser.requests.clear()
    browser.open(made.path)
    browser.settle()
    return browser


def choose(browser, name, text):
    """Choose an option as keys do: focus the list and type what it starts with."""
    browser.get(f"document.getElementById('{name}').focus()")
    browser.press(*text)


def count(browser):
    return int(browser.get("document.querySelector('#count strong').textContent"))


def summary(browser):
    """The numbers of the summary line: all, then by outcome."""
    numbers = browser.get("[...document.querySelectorAll('#summary strong')].map(e => e.textContent)")
    return [int(number.replace(",", "")) for number in numbers]


def listed(browser):
    """The rows of the images that are seen, in order; the first 60 are in the document."""
    names = browser.get("[...document.querySelectorAll('.name span:first-child')].map(e => e.title)")
    return [int(name[:5]) for name in names]


def first(browser, number=10):
    return listed(browser)[:number]


def first_by(key, number=10):
    """Rows from the highest key to the lowest, equal ones as in the dataset, without a key last."""
    return np.argsort(-np.where(np.isnan(key), -np.inf, key), kind="stable")[:number].tolist()


def test_the_page_opens_with_the_first_two_models_and_asks_nothing_of_the_network(shown, made):
    titles = "['a', 'b'].map(id => document.getElementById(id).selectedOptions[0].textContent)"
    assert shown.get(titles) == ["model 1", "model 2"]
    assert count(shown) == 300
    assert shown.requests == [made.path.as_uri()]


def test_the_summary_counts_the_labels_by_which_model_is_right(shown, made):
    numbers = [where.sum() for where in made.outcomes().values()]
    assert summary(shown) == [sum(numbers), *numbers]
    assert min(numbers) > 0


def test_the_summary_counts_those_of_the_chosen_class(shown, made):
    choose(shown, "class", "class 7")
    numbers = [where[:, 7].sum() for where in made.outcomes().values()]
    assert summary(shown) == [sum(numbers), *numbers]


def test_other_models_are_chosen_by_keys(shown, made):
    choose(shown, "a", "model 3")
    choose(shown, "b", "model 1")
    numbers = [where.sum() for where in made.outcomes(2, 0).values()]
    assert summary(shown)[1:] == numbers


def test_a_click_swaps_the_models(shown, made):
    shown.click("#swap")
    assert summary(shown)[1:] == [where.sum() for where in made.outcomes(1, 0).values()]
    assert first(shown) == first_by(made.precision(1) - made.precision(0))


def test_a_model_beside_itself_is_never_alone_in_being_right(shown, made):
    choose(shown, "b", "model 1")
    assert summary(shown)[2:4] == [0, 0]
    shown.click("label.only-a")
    assert count(shown) == 0


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_clicks_keep_the_images_with_a_label_of_an_outcome(shown, made, outcome):
    shown.click(f"label.{outcome}")
    choose(shown, "order", "As in")
    wanted = np.flatnonzero(made.outcomes()[outcome].any(axis=1))
    assert count(shown) == len(wanted) < 300
    assert listed(shown)[:60] == wanted[:60].tolist()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_clicks_keep_the_images_with_an_outcome_of_a_class(shown, made, outcome):
    choose(shown, "class", "class 7")
    shown.click(f"label.{outcome}")
    choose(shown, "order", "As in")
    wanted = np.flatnonzero(made.outcomes()[outcome][:, 7])
    assert count(shown) == len(wanted) > 0
    assert listed(shown)[:60] == wanted[:60].tolist()


def test_a_class_alone_keeps_the_images_where_it_is_true_or_predicted(shown, made):
    choose(shown, "class", "class 7")
    assert count(shown) == (made.truth | made.predicted(0) | made.predicted(1))[:, 7].sum()


def test_no_image_is_said_where_there_is_none(shown):
    choose(shown, "b", "model 1")
    shown.click("label.only-b")
    assert shown.get("document.querySelector('main').textContent") == "No image has such a label."


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("Average precision, A", lambda made: made.precision(0) - made.precision(1)),
        ("Average precision, B", lambda made: made.precision(1) - made.precision(0)),
        ("Average precision of A, h", lambda made: made.precision(0)),
        ("Average precision of A, l", lambda made: -made.precision(0)),
        ("Average precision of B, h", lambda made: made.precision(1)),
        ("Average precision of B, l", lambda made: -made.precision(1)),
        ("Labels only A", lambda made: made.outcomes()["only-a"].sum(axis=1)),
        ("Labels only B", lambda made: made.outcomes()["only-b"].sum(axis=1)),
        ("Labels both", lambda made: made.outcomes()["neither"].sum(axis=1)),
        ("As in", lambda made: np.zeros(300)),
    ],
)
def test_images_are_ordered(shown, made, order, key):
    choose(shown, "order", order)
    assert first(shown) == first_by(key(made))


def test_images_without_labels_come_last(shown, made):
    shown.get("document.querySelector('[data-place=\"0\"]').focus()")
    shown.press("End")
    assert not made.truth[listed(shown)[-1]].any()


@pytest.mark.parametrize(("name", "model"), [("A", 0), ("B", 1)])
def test_images_of_a_class_are_ordered_by_its_score(shown, made, name, model):
    choose(shown, "class", "class 7")
    choose(shown, "order", f"Score of the class by {name}")
    rows = np.flatnonzero((made.truth | made.predicted(0) | made.predicted(1))[:, 7])
    scores = np.rint(1000 * made.models[model].scores[rows, 7].astype(float))
    assert first(shown) == rows[np.argsort(-scores, kind="stable")[:10]].tolist()


def test_the_score_of_a_class_is_no_order_without_a_class(shown):
    assert shown.get("[...document.getElementById('order').options].filter(o => o.disabled).length") == 2


def test_a_card_says_of_each_label_what_it_is_for_both_models(shown, made):
    row = first(shown, 1)[0]
    found = shown.get(
        "[...document.querySelector('.card').querySelectorAll('.labels li:not(.more)')].map(e => "
        "[e.firstChild.title, ...[...e.querySelectorAll('[role=img]')].map(m => m.ariaLabel)])"
    )
    kinds = {(True, True): "correct", (True, False): "missed", (False, True): "false", (False, False): "left out"}
    for title, of_a, of_b in found:
        label = int(title.removeprefix("class "))
        wanted = [kinds[bool(made.truth[row, label]), bool(made.predicted(model)[row, label])] for model in (0, 1)]
        assert [of_a, of_b] == [f"A {wanted[0]}", f"B {wanted[1]}"]
    assert len(found) == sum(where[row].sum() for where in made.outcomes().values())


def test_true_labels_are_bold(shown, made):
    row = first(shown, 1)[0]
    bold = shown.get(
        "[...document.querySelector('.card').querySelectorAll('.labels li')]"
        ".filter(e => getComputedStyle(e).fontWeight >= 600).map(e => e.firstChild.textContent)"
    )
    assert sorted(bold) == sorted(f"class {j}" for j in np.flatnonzero(made.truth[row]))


def test_a_card_names_the_average_precision_of_both(shown, made):
    row = first(shown, 1)[0]
    texts = shown.get("[...document.querySelector('.name').children].slice(1).map(e => e.textContent)")
    for model, (name, text) in enumerate(zip("AB", texts, strict=True)):
        assert text.startswith(f"{name} ")
        assert float(text[2:]) == pytest.approx(made.precision(model)[row] / 1000, abs=0.006)


def test_an_opened_image_has_the_scores_and_ranks_of_both_models_side_by_side(shown, made):
    row = first(shown, 1)[0]
    shown.click(".card img")
    rows = shown.get(
        "[...document.querySelectorAll('dialog[open] tbody tr')].map(e => [...e.cells].map(c => c.textContent))"
    )
    assert len(rows) == sum(where[row].sum() for where in made.outcomes().values())
    for title, *cells in rows:
        label = int(title.removeprefix("class "))
        for model, (_, score, rank, threshold) in enumerate((cells[:4], cells[4:])):
            scores = made.models[model].scores[row]
            assert float(score) == pytest.approx(scores[label], abs=6e-4)
            assert int(rank) == 1 + (scores > scores[label]).sum()
            assert threshold == "≥ 0.42"
    shown.click("#close")
    assert shown.get("document.querySelector('dialog[open]')") is None


def test_an_image_opens_and_closes_by_keys_and_its_neighbours_are_an_arrow_away(shown):
    shown.get("document.querySelector('[data-place=\"0\"]').focus()")
    names = [f"{row:05}.jpg" for row in first(shown, 2)]
    shown.press("Enter")
    assert shown.get("document.querySelector('dialog[open] h2').textContent") == names[0]
    shown.press("ArrowRight")
    assert shown.get("document.querySelector('dialog[open] h2').textContent") == names[1]
    shown.press("Escape")
    assert shown.get("document.querySelector('dialog[open]')") is None
    assert shown.get("document.activeElement.dataset.place") == "1"


def test_everything_can_be_reached_with_the_tab_key(shown):
    reached = []
    for _ in range(7):
        shown.press("Tab")
        reached.append(shown.get("document.activeElement.id || document.activeElement.name || 'image'"))
    assert reached == ["a", "swap", "b", "class", "outcome", "order", "image"]


def test_every_control_and_mark_has_an_accessible_name(shown):
    shown.click(".card img")
    nodes = shown.call("Accessibility.getFullAXTree")["nodes"]
    wanted = {"button", "combobox", "radio", "image", "list", "dialog", "columnheader", "rowheader"}
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in wanted]
    nameless = [node["role"]["value"] for node in found if not node.get("name", {}).get("value")]
    assert len(found) > 10
    assert not nameless


def test_a_focused_image_is_not_hidden_behind_the_controls(shown):
    shown.get("document.querySelector('[data-place=\"0\"]').focus()")
    shown.press(*["ArrowDown"] * 8, *["ArrowUp"] * 6)
    below = shown.get(
        "document.activeElement.getBoundingClientRect().top"
        " - document.querySelector('.controls').getBoundingClientRect().bottom"
    )
    assert below >= 0


@pytest.mark.parametrize("width", [360, 700])
def test_nothing_is_cut_off_in_a_narrow_window(shown, width):
    shown.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    try:
        shown.settle()
        shown.click(".card img")
        assert shown.get("document.documentElement.scrollWidth") <= width
        assert shown.get("[...document.querySelectorAll('dialog .about')].every(e => e.scrollWidth <= e.clientWidth)")
    finally:
        shown.call("Emulation.clearDeviceMetricsOverride")
