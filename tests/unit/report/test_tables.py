from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from multilabel.evaluation import all_metrics
from multilabel.report import examples
from multilabel.report.tables import MAIN_METRICS, metric_table, run_table, with_deviations, write_table

# Three labelled images and one without labels; every expected number below was worked out by hand from these.
TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0]])
SCORES = np.array([[0.9, 0.6, 0.1], [0.8, 0.7, 0.2], [0.7, 0.6, 0.9], [0.9, 0.9, 0.9]])


def test_table_3_ranks_as_many_labels_as_are_true_and_the_true_ones_below():
    scores = np.array([0.1, 0.9, 0.5, 0.3, 0.2])
    truth = np.array([1, 1, 0, 0, 0])
    table = examples.ranked_predictions(truth, scores, list("abcde"))
    assert table[["rank", "label", "true"]].to_numpy().tolist() == [[1, "b", True], [2, "c", False], [5, "a", True]]


def test_table_3_shows_two_ranks_of_an_image_with_one_label():
    table = examples.ranked_predictions([0, 0, 1], [0.3, 0.2, 0.9], list("abc"))
    assert table["label"].tolist() == ["c", "a"]


def test_table_3_stands_side_by_side_with_true_labels_bold():
    table = examples.table(TRUTH, SCORES, ["cat", "dog", "cow"], [0, 2], ["Fig. 7a", "Fig. 7b"])
    shown, bold = examples.side_by_side(table)
    assert list(shown.columns) == ["Fig. 7a", "pred", "Fig. 7b", "pred"]
    assert shown["Fig. 7a"].tolist() == ["1 cat", "2 dog", ""]
    assert shown["Fig. 7b"].tolist() == ["1 cow", "2 cat", "3 dog"]
    assert bold.tolist() == [[True, False, True, False], [False, False, False, False], [False, False, True, False]]


def test_examples_go_from_all_labels_found_to_none():
    truth = np.tile([1, 1, 1, 1, 0, 0, 0, 0], (6, 1))
    truth[5] = 0
    scores = np.zeros((6, 8))
    for row, hits in enumerate([0, 1, 2, 3, 4]):
        scores[row, 4 - hits : 8 - hits] = 1
    rows = examples.choose_examples(truth, scores, np.arange(6))
    assert rows.tolist() == [4, 3, 2, 1, 0]


def test_examples_do_not_depend_on_the_order_of_the_images():
    rng = np.random.default_rng(0)
    truth, scores, ids = rng.integers(0, 2, (50, 6)), rng.random((50, 6)), np.arange(50)
    shuffled = rng.permutation(50)
    rows = examples.choose_examples(truth[shuffled], scores[shuffled], ids[shuffled])
    assert ids[shuffled][rows].tolist() == examples.choose_examples(truth, scores, ids).tolist()


def test_fewer_labelled_images_give_fewer_examples():
    assert sorted(examples.choose_examples(TRUTH, SCORES, np.arange(4))) == [0, 1, 2]


def test_examples_can_be_asked_for_by_image_id():
    test = SimpleNamespace(image_id=np.array([11, 12, 13]), truth=TRUTH[:3], scores=SCORES[:3])
    assert examples.rows_of(test, [13, 11]).tolist() == [2, 0]


def test_example_images_that_are_not_in_the_split_are_listed():
    test = SimpleNamespace(image_id=np.array([11, 12, 13]), truth=TRUTH[:3], scores=SCORES[:3])
    with pytest.raises(ValueError, match="found 4, 5"):
        examples.rows_of(test, [4, 11, 5])


def test_metrics_of_models_stand_side_by_side():
    metrics = all_metrics.evaluate(TRUTH[:3], SCORES[:3], k=2)
    table = metric_table([("top model", "run 1", [metrics])])
    assert table.loc[0, ["model", "run"]].tolist() == ["top model", "run 1"]
    assert table.loc[0, "µF1 top-k"] == pytest.approx(8 / 11)


def test_metrics_of_several_seeds_are_means_beside_their_deviations(tmp_path):
    one, other = (dict.fromkeys(MAIN_METRICS.values(), value) for value in (0.5, 0.75))
    table = metric_table([("top model", "r", [one]), ("2 seeds", "r", [one, other])])
    assert table.loc[1, "mAP"] == 0.625
    assert table.loc[1, "mAP std"] == pytest.approx(np.std([0.5, 0.75], ddof=1))
    assert np.isnan(table.loc[0, "mAP std"])
    text = written(tmp_path, table, shown=with_deviations(table))["md"]
    assert "0.625 ± 0.177" in text
    assert "std" not in text
    assert "---:" in text  # still columns of numbers


def log(losses):
    return pd.DataFrame(
        {"epoch": range(len(losses)), "val_loss": losses, "val_acc": np.linspace(0.9, 0.95, len(losses))}
    )


def test_runs_are_sorted_by_their_best_loss():
    table = run_table({"slow": log([0.9, 0.5]), "diverged": log([np.nan]), "fast": log([0.4, 0.3, 0.6])})
    assert table["run"].tolist() == ["fast", "slow", "diverged"]
    assert table.iloc[0].drop("run").tolist() == [3, 1, 0.3, 0.925]


def test_a_run_that_was_repeated_has_the_mean_and_the_deviation_of_its_best_losses():
    logs, repeats = {"once": log([0.4]), "again": log([0.9, 0.5])}, {"again": [log([0.75, 0.7]), log([0.3, 0.6])]}
    table = run_table(logs, repeats).set_index("run")
    assert table.loc["again", "val_loss"] == 0.5  # that of the first seed
    assert table.loc["again", ["seeds", "val_loss of seeds"]].tolist() == [3, pytest.approx(0.5)]
    assert table.loc["again", "val_loss of seeds std"] == pytest.approx(0.2)
    assert table.loc["once", ["seeds", "val_loss of seeds"]].isna().all()


def test_an_empty_log_is_an_error_that_names_the_run():
    with pytest.raises(ValueError, match="found none in: empty"):
        run_table({"full": log([0.1]), "empty": log([])})


@pytest.fixture
def frame():
    return pd.DataFrame({"name": ["a_b", "c|d*", "50 % & µ"], "MF1": [1 / 3, np.nan, 2.0], "n": [1, 20, 300]})


def written(folder, frame, **options):
    write_table(frame, folder / "table", "Caption 100 %.", **options)
    return {suffix: (folder / f"table.{suffix}").read_text(encoding="utf-8") for suffix in ("csv", "md", "tex", "html")}


def test_the_csv_holds_full_precision(tmp_path, frame):
    written(tmp_path, frame)
    assert pd.read_csv(tmp_path / "table.csv").equals(frame)


def test_markdown_is_escaped_and_rounded(tmp_path, frame):
    bold = np.zeros(frame.shape, bool)
    bold[0, 1] = True
    lines = written(tmp_path, frame, digits={"MF1": 1}, bold=bold)["md"].splitlines()
    assert lines[0] == "Caption 100 %."
    assert [line.split() for line in lines[2:]] == [
        ["|", "name", "|", "MF1", "|", "n", "|"],
        ["|", "--------", "|", "------:", "|", "--:", "|"],
        ["|", "a_b", "|", "**0.3**", "|", "1", "|"],
        ["|", r"c\|d\*", "|", "–", "|", "20", "|"],
        ["|", "50", "%", "&", "µ", "|", "2.0", "|", "300", "|"],
    ]


def test_latex_is_escaped_and_set_with_booktabs(tmp_path, frame):
    bold = np.zeros(frame.shape, bool)
    bold[0, 0] = True
    lines = written(tmp_path, frame, bold=bold)["tex"].splitlines()
    assert r"\caption{Caption 100 \%.}" in lines
    assert r"\begin{tabular}{lrr}" in lines
    assert r"name & MF$_1$ & n \\" in lines
    assert r"\textbf{a\_b} & 0.333 & 1 \\" in lines
    assert r"c|d* & -- & 20 \\" in lines
    assert r"50 \% \& $\mu$ & 2.000 & 300 \\" in lines


def test_html_is_escaped_and_rounded(tmp_path, frame):
    bold = np.zeros(frame.shape, bool)
    bold[0, 1] = True
    lines = written(tmp_path, frame, digits=1, bold=bold)["html"].splitlines()
    assert "<caption>Caption 100 %.</caption>" in lines
    assert "<tr><th>name<th class=number>MF1<th class=number>n" in lines
    assert "<tr><td>a_b<td class=number><b>0.3</b><td class=number>1" in lines
    assert "<tr><td>50 % &amp; µ<td class=number>2.0<td class=number>300" in lines


def test_a_group_column_becomes_headings(tmp_path):
    frame = pd.DataFrame({"group": ["old", "old", "new"], "method": ["x", "y", "z"], "P": [1.0, 2.0, 3.0]})
    texts = written(tmp_path, frame, group="group", digits=1)
    assert [line.split("|")[1].strip() for line in texts["md"].splitlines()[4:]] == [
        "**old**",
        "x",
        "y",
        "**new**",
        "z",
    ]
    assert r"\multicolumn{2}{l}{\textit{new}} \\" in texts["tex"]
    assert "<tr><th colspan=2>new\n<tr><td>z<td class=number>3.0\n" in texts["html"]
    assert texts["csv"].startswith("group,method,P\n")


def test_a_named_index_is_a_column(tmp_path):
    frame = pd.DataFrame({"train": [5]}, index=pd.Index(["person"], name="class"))
    assert written(tmp_path, frame)["csv"] == "class,train\nperson,5\n"


def test_a_table_written_twice_has_the_same_bytes(tmp_path, frame):
    assert written(tmp_path / "one", frame) == written(tmp_path / "two", frame)


def test_bold_marks_of_another_shape_are_an_error(tmp_path, frame):
    with pytest.raises(ValueError, match=r"shape \(3, 3\), found \(1, 2\)"):
        write_table(frame, tmp_path / "table", "", bold=[[True, False]])
    assert not list(tmp_path.iterdir())
