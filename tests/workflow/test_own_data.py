"""A user's own data, from one file over `config/quick.yaml`: the 591 photographs of MSRC v2."""

import pandas as pd
import pytest
import yaml

from .conftest import ROOT, copy_project, dry_run, run_snakemake

QUICK = ROOT / "config/quick.yaml"


@pytest.fixture(scope="module")
def labelled(shared_data, tmp_path_factory):
    """The finished project: one command, and a file with the dataset and the weights alone."""
    folder = copy_project(tmp_path_factory.mktemp("own") / "project")
    source = {
        "images": str(shared_data / "msrc_v2/images"),
        "annotations": str(shared_data / "msrc_v2/labels.csv"),
    }
    own = {
        "dataset": {
            "name": "msrc",
            "subset": "own",
            "kind": "csv",
            "train": source,
            "test": {"fraction": 0.2},
            "validation": {"fraction": 0.1},
        },
        "base": {
            "network": "MobileNet",
            "options": {"alpha": 0.25},
            "weights": str(shared_data / "weights/mobilenet_2_5_224_tf_no_top.h5"),
        },
    }
    (folder / "own.yaml").write_text(yaml.safe_dump(own))
    result = run_snakemake(folder, str(folder / "own.yaml"), config=QUICK)
    assert result.returncode == 0, result.stdout
    return folder


def test_what_is_trained_is_not_below_logistic_regression(labelled):
    best = pd.read_csv(labelled / "results/msrc_own/tables/metrics.csv").groupby("model")["mAP"].max()
    assert set(best.index) == {"one-vs-rest logistic regression", "top model", "fine-tuned"}
    assert best[["top model", "fine-tuned"]].max() >= best["one-vs-rest logistic regression"] > 0.7


def test_the_report_says_which_panels_are_left_out(labelled):
    text = (labelled / "results/msrc_own/tables/top_models.md").read_text()
    assert "Left out, because fewer than two of their runs are trained: Fig. 4a" in text
    assert not (labelled / "results/msrc_own/figures/fig4a.pdf").exists()


def test_a_second_call_has_nothing_to_do(labelled):
    result = dry_run(labelled, over=labelled / "own.yaml", config=QUICK)
    assert "Nothing to be done" in result.stdout


@pytest.mark.parametrize("classes", [1, 2])
def test_more_labels_per_image_than_classes_stop_before_any_job(classes, tmp_path):
    (tmp_path / "images").mkdir()
    rows = [",".join([f"{row}.png", *"10"[:classes]]) for row in range(10)]
    for row in range(10):
        (tmp_path / f"images/{row}.png").touch()
    (tmp_path / "labels.csv").write_text("\n".join([",".join(["file", *"ab"[:classes]]), *rows]))
    source = {"images": str(tmp_path / "images"), "annotations": str(tmp_path / "labels.csv")}
    dataset = {"name": "few", "kind": "csv", "train": source, "test": {"fraction": 0.3}}
    (tmp_path / "few.yaml").write_text(yaml.safe_dump({"dataset": dataset, "base": {"weights": "random"}}))
    folder = copy_project(tmp_path / "project")
    result = run_snakemake(folder, str(tmp_path / "few.yaml"), config=QUICK)
    assert result.returncode != 0
    assert f"evaluation.k is 3 labels per image, and few_2017 has {classes} class" in result.stdout
    assert not (folder / "results").exists()
