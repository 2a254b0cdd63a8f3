from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from multilabel.evaluation import all_metrics
from multilabel.experiments.transfer import tables
from multilabel.report import examples
from multilabel.report.tables import MAIN_METRICS, METRICS, metric_table, run_table, with_deviations, write_table

# Three labelled images and one without labels; every expected number below was worked out by hand from these.
TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0]])
SCORES = np.array([[0.9, 0.6, 0.1], [0.8, 0.7, 0.2], [0.7, 0.6, 0.9], [0.9, 0.9, 0.9]])
AUGMENTED = np.array([[0.9, 0.6, 0.1], [0.2, 0.7, 0.8], [0.7, 0.6, 0.9], [0.9, 0.9, 0.9]])


@pytest.fixture(scope="module")
def ours():
    table = tables.table2(TRUTH, SCORES, AUGMENTED, k=2, tau=0.6, dataset="tiny", run="1x8d5")
    return table[table["group"] == "This project: 1x8d5"].set_index("method")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a. 3 (k > 0)", [13 / 18, 5 / 6, 23 / 30, 4 / 6, 4 / 5, 8 / 11]),
        ("b. 2 (k = 2)", [5 / 6, 5 / 6, 7 / 9, 3 / 4, 3 / 4, 3 / 4]),
        ("c. 3 (k = L/I)", [8 / 9, 5 / 6, 37 / 45, 4 / 5, 4 / 5, 4 / 5]),
        ("d. 3-a (k = L/I)", [2 / 3, 2 / 3, 11 / 18, 3 / 5, 3 / 5, 3 / 5]),
        ("e. 3 (τ = 0.600)", [7 / 9, 1, 13 / 15, 5 / 7, 1, 5 / 6]),
    ],
)
def test_rows_of_table_2_on_three_images(ours, row, expected):
    np.testing.assert_allclose(ours.loc[row, METRICS].astype(float), 100 * np.array(expected))


def test_best_possible_spends_its_spare_labels_at_random(ours):
    micro = ours.loc["best possible", ["µP", "µR", "µF1"]].astype(float)
    np.testing.assert_allclose(micro, [100 * 5 / 6, 100, 100 * 10 / 11])


def test_best_possible_on_coco_is_the_papers(shared_data):
    with np.load(shared_data / "coco2017" / "labels.npz") as archive:
        truth = archive["val2017_labels"]
    table = tables.table2(
        truth, truth.astype(np.float32), None, tau=0.5, dataset="COCO 2017", run="perfect", n_random=2
    )
    values = table.set_index("method").loc["best possible", METRICS].to_numpy(dtype=float)
    published, ours = values
    np.testing.assert_allclose(ours[:3], published[:3], atol=0.5)
    assert [f"{value:.1f}" for value in ours[3:]] == ["76.0", "77.1", "76.5"]
    assert "a. 4952 (k > 0)" in set(table["method"][table["dataset"] == "COCO 2017"])


def test_without_augmented_scores_there_is_no_row_d():
    table = tables.table2(TRUTH, SCORES, None, tau=0.5, dataset="tiny", run="r")
    assert not table["method"].str.startswith("d. 3").any()


def test_a_row_without_images_has_no_numbers():
    table = tables.table2(TRUTH, SCORES, None, tau=0.5, dataset="tiny", run="r", k=3).set_index("method")
    assert table.loc["b. 0 (k = 3)", METRICS].isna().all()


def test_table_2_needs_labelled_images():
    with pytest.raises(ValueError, match="expected images with labels, found none among 4"):
        tables.table2(np.zeros((4, 3)), SCORES, None, tau=0.5, dataset="tiny", run="r")


def test_table_2_names_the_array_of_another_shape():
    with pytest.raises(ValueError, match=r"augmented scores of the truth's shape \(4, 3\), found \(3, 3\)"):
        tables.table2(TRUTH, SCORES, AUGMENTED[:3], tau=0.5, dataset="tiny", run="r")


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("CNN-RNN", [66.0, 55.6, 60.4, 69.2, 66.4, 67.8]),
        ("ResNet-SRN", [85.2, 58.8, 67.4, 87.4, 62.5, 72.9]),
        ("best possible", [67.2, 78.4, 70.8, 76.0, 77.1, 76.5]),
        ("c. 4952 (k = L/I)", [66.9, 63.1, 64.2, 70.5, 70.5, 70.5]),
        ("e. 4952 (τ = 0.378)", [65.2, 61.6, 62.3, 68.2, 68.2, 68.2]),
    ],
)
def test_published_rows_are_the_papers(method, values):
    table = tables.published_table2().set_index("method")
    assert table.loc[method, METRICS].tolist() == values


def test_table_2_prints_all_seventeen_published_rows():
    table = tables.published_table2()
    assert len(table) == 17
    assert table.notna().all(axis=None)


def test_every_published_number_has_a_source():
    content = tables.published()
    used = {row["source"] for part in ("previous", "final_model") for row in content["table2"][part]}
    used |= {content[part]["printed_in"] for part in ("table2", "table3", "coco_2017")}
    assert used == set(content["sources"])


def test_published_counts_of_coco_are_those_of_the_real_labels(shared_data):
    counts = tables.published()["coco_2017"]
    with np.load(shared_data / "coco2017" / "labels.npz") as archive:
        truth = {"train": archive["train2017_labels"], "val": archive["val2017_labels"]}
    columns = {"person": 0, "toaster": 70, "hair drier": 78}
    measured = {name: {split: int(y[:, j].sum()) for split, y in truth.items()} for name, j in columns.items()}
    assert measured == counts["samples_with_label"]
    assert {"val": int(truth["val"].sum())} == counts["positives"]


def test_the_caption_says_when_one_split_chose_and_reports():
    caption = tables.table2_caption("COCO 2017", "val", k=3, model_from="val", tau_from="val")
    assert "The val split chose the final model" in caption
    assert "flatters" in caption


def test_the_caption_of_a_held_out_test_split_does_not_apologise():
    caption = tables.table2_caption("shapes demo", "test", k=3, model_from="val", tau_from="val")
    assert "flatters" not in caption


def top_model(**changes):
    names = ("preprocess", "pooling", "layers", "nodes", "regulariser", "learning_rate", "batch_size")
    return SimpleNamespace(**(dict(zip(names, ("zmuvs", "avg", 1, 1024, "d5", 0.1, 32), strict=True)) | changes))


def test_table_1_lists_what_the_runs_have():
    runs = [
        top_model(),
        top_model(layers=2, nodes=4096, learning_rate=0.05),
        top_model(preprocess="inet", batch_size=128),
    ]
    table = tables.table1(runs).set_index("Hyper-parameter")["Variants"]
    assert table["Image preprocessing"] == "inet, zmuvs"
    assert table["Number of nodes per layer"] == "1024, 4096"
    assert table["Learning rate"] == "0.1, 0.05"
    assert table["Batch size"] == "32, 128"


def test_table_1_has_the_second_stage_when_there_are_fine_tuned_runs():
    finetuned = [
        SimpleNamespace(frozen="15", learning_rate=0.1, batch_size=128, augmentation="hwrszf"),
        SimpleNamespace(frozen="all", learning_rate=0.005, batch_size=64, augmentation=""),
    ]
    table = tables.table1([top_model()], finetuned)
    second = table[table["Stage"] == "2"].set_index("Hyper-parameter")["Variants"]
    assert second.to_dict() == {
        "Number of frozen layers": "15, all",
        "Learning rate": "0.1, 0.005",
        "Batch size": "64, 128",
        "Data augmentation": "none, hwrszf",
    }


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
