from types import SimpleNamespace

import numpy as np
import pytest

from multilabel.experiments.transfer import published, tables

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
    np.testing.assert_allclose(ours.loc[row, tables.METRICS].astype(float), 100 * np.array(expected))


def test_best_possible_spends_its_spare_labels_at_random(ours):
    micro = ours.loc["best possible", ["µP", "µR", "µF1"]].astype(float)
    np.testing.assert_allclose(micro, [100 * 5 / 6, 100, 100 * 10 / 11])


def test_best_possible_on_coco_is_the_papers(shared_data):
    with np.load(shared_data / "coco2017" / "labels.npz") as archive:
        truth = archive["val2017_labels"]
    table = tables.table2(
        truth, truth.astype(np.float32), None, tau=0.5, dataset="COCO 2017", run="perfect", n_random=2
    )
    values = table.set_index("method").loc["best possible", tables.METRICS].to_numpy(dtype=float)
    published, ours = values
    np.testing.assert_allclose(ours[:3], published[:3], atol=0.5)
    assert [f"{value:.1f}" for value in ours[3:]] == ["76.0", "77.1", "76.5"]
    assert "a. 4952 (k > 0)" in set(table["method"][table["dataset"] == "COCO 2017"])


def test_without_augmented_scores_there_is_no_row_d():
    table = tables.table2(TRUTH, SCORES, None, tau=0.5, dataset="tiny", run="r")
    assert not table["method"].str.startswith("d. 3").any()


def test_a_row_without_images_has_no_numbers():
    table = tables.table2(TRUTH, SCORES, None, tau=0.5, dataset="tiny", run="r", k=3).set_index("method")
    assert table.loc["b. 0 (k = 3)", tables.METRICS].isna().all()


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
    assert table.loc[method, tables.METRICS].tolist() == values


def test_table_2_prints_all_seventeen_published_rows():
    table = tables.published_table2()
    assert len(table) == 17
    assert table.notna().all(axis=None)


def test_every_published_number_has_a_source():
    content = published.load()
    used = {row["source"] for part in ("previous", "final_model") for row in content["table2"][part]}
    used |= {content[part]["printed_in"] for part in ("table2", "table3", "coco_2017")}
    assert used == set(content["sources"])


def test_published_counts_of_coco_are_those_of_the_real_labels(shared_data):
    counts = published.load()["coco_2017"]
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
