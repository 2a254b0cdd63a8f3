import numpy as np
import pandas as pd
import pytest

from multilabel import config
from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.transfer import reference, reproduction, tables
from multilabel.report import verdicts

PANELS = {"fig4a": "fig4a", "fig4b": "fig4b", "fig5a": "fig5a", "fig5b": "fig5b", "fig5c": "fig5c"} | {
    "fig6a": "fig6",
    "fig6b": "fig6",
}


def short_log(losses=(0.1, 0.08)):
    return pd.DataFrame({"epoch": range(len(losses)), "val_loss": losses, "val_acc": 0.9, "seconds": 2.0})


def matrix(labels, classes):
    ids = np.arange(len(labels))
    return LabelMatrix(ids, [str(i) for i in ids], classes, labels)


def page(train, test, classes, logs, *, paper=True, **overrides):
    """The page for labels and logs; runs without a log have one of two epochs."""
    settings = config.Config()
    scores = test + 0.5 * np.random.default_rng(0).random(test.shape)
    finetuned = {run.name: short_log((0.07, 0.0605)) for run in settings.finetuned}
    arguments = {
        "test": "val",
        "table2": tables.table2(test, scores, scores, tau=0.6, dataset="coco_2017", run="r", n_random=2),
        "final": next(iter(finetuned)),
        "tau": 0.38,
        "top_models": {run.name: logs.get(run.name, short_log()) for run in settings.top_models},
        "finetuned": finetuned,
        "panels": {panel: [run.name for run in settings.panel(key)] for panel, key in PANELS.items()},
        "reference": reference.load(),
        "comparable": paper,
    }
    matrices = {"train": matrix(train, classes), "val": matrix(test, classes)}
    return reproduction.page(matrices, **arguments | overrides)


@pytest.fixture(scope="module")
def small():
    """A page of other labels than COCO's, with the author's own logs as ours."""
    labels = (np.random.default_rng(1).random((60, 5)) < 0.4).astype(np.uint8)
    return page(labels, labels[:30], ["person", "b", "toaster", "d", "hair drier"], reference.load())


def find(rows, where, what):
    (row,) = [row for row in rows if row.where == where and row.what.startswith(what)]
    return row


def test_numbers_of_coco_are_the_papers_but_for_its_mistakes(shared_data):
    with np.load(shared_data / "coco2017" / "labels.npz") as archive:
        train, val = archive["train2017_labels"], archive["val2017_labels"]
    classes = [f"class {j}" for j in range(80)]
    for column, name in ((0, "person"), (70, "toaster"), (78, "hair drier")):
        classes[column] = name
    unlabelled = np.zeros((1021, 80), np.uint8)  # the archive leaves them out
    rows = page(np.vstack([train, unlabelled]), val, classes, reference.load())
    counted = [row for row in rows if row.where in ("Section 3.1", "Section 6.2", "Fig. 2", "Fig. 3")]
    assert len(counted) == 17
    assert [row.what for row in counted if row.verdict != "reproduced"] == ["images with three labels, val"]
    assert find(rows, "Fig. 3", "images with three labels").ours == 980
    best_possible = [row for row in rows if row.what.startswith("best possible")]
    assert [row.verdict for row in best_possible] == ["reproduced"] * 6


def test_there_is_a_row_for_each_number_of_table_2(small):
    own = [row for row in small if row.where == "Table 2" and isinstance(row.published, float)]
    assert len(own) == 6 * 6
    quoted = [row for row in small if row.where == "Table 2" and isinstance(row.published, str)]
    assert sum(len(row.published.split()) for row in quoted) == 11 * 6


@pytest.mark.parametrize("panel", ["2", "3", "4a", "4b", "5a", "5b", "5c", "6a", "6b"])
def test_there_is_a_row_for_each_panel(small, panel):
    assert any(row.where == f"Fig. {panel}" for row in small)


def test_no_row_is_without_a_reason(small):
    assert all(row.verdict and row.why for row in small)
    assert all(row.ours is not None for row in small if row.verdict != "not run")


def test_the_authors_logs_bear_out_what_the_text_says_of_figs_5_and_6(small):
    said = [row for row in small if row.where in {f"Fig. {panel}" for panel in ("5a", "5b", "5c", "6a", "6b")}]
    assert {row.what: row.verdict for row in said if row.verdict != "reproduced"} == {}
    assert len(said) == 8


def test_the_authors_logs_are_their_own_curves(small):
    curves = [row for row in small if row.where.startswith(("Fig. 5", "Fig. 6a")) and "author" in row.where]
    assert {row.verdict for row in curves} == {"reproduced"}
    order = find(small, "Fig. 5a, author's logs", "order")
    assert order.ours.replace(" lr11 b128", "") == "2x4096 < 2x2048 < 1x4096 < 2x1024 < 1x2048 < 1x1024"


def test_a_statement_that_does_not_hold_names_the_pair():
    logs = reference.load()
    low, high = (logs[f"coco_2017_zmuvs_avg_{design}d5_lr11_b128"] for design in ("2x4096", "2x2048"))
    swapped = {
        "coco_2017_zmuvs_avg_2x4096d5_lr11_b128": high,
        "coco_2017_zmuvs_avg_2x2048d5_lr11_b128": low,
    }
    labels = np.eye(6, 4, dtype=np.uint8)
    row = find(page(labels, labels, list("abcd"), logs | swapped), "Fig. 5a", "more nodes")
    assert (row.verdict, row.ours) == ("not", "5 of 6")
    assert "not for 2x4096 lr11 b128 and 2x2048 lr11 b128; in the author's logs for 6 of 6" in row.why


def test_at_another_size_values_are_shown_but_not_judged():
    labels = np.eye(6, 4, dtype=np.uint8)
    rows = page(labels, labels, list("abcd"), {}, paper=False)
    assert {row.verdict for row in rows} == {"not run at this size", "not run"}
    assert find(rows, "Section 3.1", "images, val").ours == 6
    assert all(row.difference is None for row in rows)


def test_a_class_that_the_dataset_lacks_has_no_value():
    labels = np.eye(6, 4, dtype=np.uint8)
    row = find(page(labels, labels, list("abcd"), {}), "Fig. 2", "images with person, train")
    assert (row.ours, row.verdict) == (None, "not run")


@pytest.mark.parametrize(
    ("tau", "verdict"), [(0.378, "reproduced"), (0.40, "within the band"), (0.5, "not"), (np.nan, "not run")]
)
def test_the_verdict_follows_from_the_band(tau, verdict):
    labels = np.eye(6, 4, dtype=np.uint8)
    assert find(page(labels, labels, list("abcd"), {}, tau=tau), "Section 5.1", "threshold").verdict == verdict


def test_numbers_are_written_with_the_decimals_of_the_print(small):
    row = verdicts.Row("w", "n", 67.2, 67.1499, -0.0501, "reproduced", "")
    count = verdicts.Row("w", "n", 908, 980, 72, "not", "")
    text, whole = verdicts.as_text([row, count])
    assert (text.published, text.ours, text.difference) == ("67.2", "67.1", "-0.1")
    assert (whole.published, whole.ours, whole.difference) == ("908", "980", "+72")


def test_the_verdicts_are_counted(small):
    assert verdicts.counted(small).startswith(f"Of {len(small)} rows: ")


def test_the_paper_departs_from_itself_in_nothing():
    assert config.Config().departures == []


def test_a_smaller_network_is_a_departure():
    base = {"width": 0.5, "weights": "random"}
    assert "base.width is 0.5, not 1.0" in config.load({"base": base}).departures
