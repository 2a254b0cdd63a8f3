"""Tables and figures of the room, and what its keys refuse."""

import numpy as np
import pandas as pd
import pytest

from multilabel import config as configuration
from multilabel.datasets.labels import LabelMatrix
from multilabel.datasets.masks import Masks, cells
from multilabel.evaluation.predictions import Predictions
from multilabel.experiments.query2label import attention, comparison, figures, tables
from multilabel.experiments.query2label.looks import Looks
from multilabel.files import write_json
from multilabel.report import verdicts


@pytest.fixture
def annotations(tmp_path):
    """A picture of 4×4 whose left half is a dog, with a crowd of cats at the upper right."""
    left = [[0, 0, 2, 0, 2, 4, 0, 4]]
    content = {
        "images": [{"id": 7, "file_name": "7.png", "height": 4, "width": 4}],
        "categories": [{"id": 3, "name": "dog"}, {"id": 9, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "iscrowd": 0, "segmentation": left},
            {"id": 2, "image_id": 7, "category_id": 9, "iscrowd": 1, "segmentation": [[2, 0, 4, 0, 4, 2, 2, 2]]},
        ],
    }
    write_json(tmp_path / "annotations.json", content)
    return tmp_path / "annotations.json"


def test_masks_are_shares_of_cells(annotations):
    found = Masks(annotations).shares(7, (2, 2))
    assert {column: share.tolist() for column, share in found.items()} == {0: [[1, 0], [1, 0]]}
    assert set(Masks(annotations, crowds=True).shares(7, (2, 2))) == {0, 1}


def test_a_cell_is_covered_in_part():
    mask = np.zeros((4, 4), bool)
    mask[0, :3] = True
    assert cells(mask, (2, 2)).tolist() == [[0.5, 0.25], [0, 0]]


def test_attention_inside_is_a_share_of_its_sum(annotations):
    """Three quarters of the gaze fall on the left half, which the dog covers."""
    maps = np.zeros((1, 1, 2, 2, 2), np.float32)
    maps[0, 0, 0] = [[0.5, 0.25], [0.25, 0]]
    labels = LabelMatrix(np.array([7]), ["7.png"], ("dog", "cat"), [[1, 0]])
    looks = [Looks(np.array([7]), np.zeros((1, 2)), maps)]
    found = attention.inside(looks, labels, Masks(annotations)).set_index("class")
    assert list(found.index) == ["dog", "all"]
    assert found.loc["all"].to_dict() == {"layer": 1, "pairs": 1, "attention": 0.75, "area": 0.5, "ratio": 1.5}


def test_the_lowest_ratio_is_that_of_one_run():
    columns = ["class", "layer", "pairs", "attention", "area", "ratio"]
    runs = [pd.DataFrame([("all", 1, 4, share, 0.1, share / 0.1)], columns=columns) for share in (0.2, 0.4)]
    row = tables.attention(runs).iloc[0]
    assert (row["attention"], row["ratio"], row["lowest ratio"]) == pytest.approx((0.3, 3.0, 2.0))


def test_table1_judges_both_columns_by_both_means():
    metrics = {"Q2L-R101-448": {"voc_mean_average_precision": 0.8487, "mean_average_precision": 0.8466}}
    rows = tables.table1(metrics, [])
    assert len(rows) == 16
    assert [row.verdict for row in rows[:4]] == [verdicts.REPRODUCED, verdicts.WITHIN] * 2
    assert {row.verdict for row in rows[4:]} == {verdicts.NOT_RUN}
    other = tables.table1(metrics, ["dataset is shapes_demo, not coco_2014"])
    assert [row.verdict for row in other[:4]] == [verdicts.OTHER_SIZE] * 4


def test_the_comparison_has_means_over_seeds_and_paired_intervals():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (60, 4)).astype(np.uint8)

    def run(noise):
        scores = (truth + rng.normal(0, noise, truth.shape)).astype(np.float32)
        return (Predictions(np.arange(60), truth, scores),) * 2

    runs = {"Query2Label": [run(0.3), run(0.3)], "Average-pooled top model": [run(2.0), run(2.0)]}
    names = list(comparison.METRICS.values())
    metrics = {model: [dict.fromkeys(names, 0.5), dict.fromkeys(names, 0.7)] for model in runs}
    cost = pd.DataFrame({"model": list(runs), "parameters": [1000, 10], "ms per image": [2.0, 1.0]})
    frame, shown = comparison.comparison(runs, metrics, cost, k=2, resamples=100, seed=0)
    assert frame["mAP"].tolist() == pytest.approx([0.6, 0.6])
    assert frame["mAP std"].tolist() == pytest.approx([0.1414, 0.1414], abs=1e-4)
    assert np.isnan(frame["below"][0])
    assert frame["below low"][1] > 0
    assert shown["parameters"].tolist() == ["1,000", "10"]


def test_labels_that_an_image_has_are_shown_first():
    assert figures.labels_shown(np.array([0.9, 0.1, 0.5, 0.7]), np.array([0, 1, 0, 0]), 3) == [1, 0, 3]


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(
        configuration.ConfigError, match=r"query2label: width 100: expected a number that 4 and the 8 heads"
    ):
        configuration.load({"query2label": {"width": 100, "heads": 8}})


def test_checkpoints_need_names_of_their_own():
    entry = {"name": "r101", "checkpoint": "a.pkl", "config": "a.json"}
    with pytest.raises(configuration.ConfigError, match=r"query2label.checkpoints: expected a name of its own"):
        configuration.load({"query2label": {"checkpoints": [entry, entry]}})


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    config = configuration.load(
        {
            "dataset": {"name": "shapes", "subset": "x", "kind": "shapes"},
            "base": {"weights": "pretrain"},
            "query2label": {"checkpoints": [{"name": "r101", "checkpoint": "a.pkl", "config": str(tmp_path)}]},
        }
    )
    with pytest.raises(configuration.ConfigError, match=r"query2label.checkpoints.0.checkpoint: no such path: a.pkl"):
        configuration.existing_paths(config)
