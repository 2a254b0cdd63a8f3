"""The target `miml` on the smallest demo, and on MSRC v2 with real weights."""

import pandas as pd
import pytest

from .conftest import ROOT, copy_project, planned, run_snakemake

RESULTS = "results/shapes_smallest"


def test_every_table_and_figure_is_there(finished):
    made = {path.name for kind in ("tables", "figures") for path in (finished / RESULTS / "miml" / kind).iterdir()}
    assert made == {
        *(
            f"{name}.{suffix}"
            for name in ("table1", "blocks", "reproduction")
            for suffix in ("csv", "md", "tex", "html")
        ),
        *(f"{name}.{suffix}" for name in ("fig3", "blocks") for suffix in ("pdf", "png")),
    }


def test_splits_of_all_jobs_are_gathered(finished):
    scores = pd.read_csv(finished / RESULTS / "miml/scores.csv")
    assert sorted(scores["split"].unique()) == [0, 1, 2, 3]
    assert sorted(scores["images"].unique()) == [20, 50]
    assert scores.notna().to_numpy().all()


def test_a_second_call_has_nothing_to_do(finished):
    assert planned(finished, "miml") == {}


def test_the_main_experiment_does_not_ask_for_it(tmp_path):
    assert not [name for name in planned(copy_project(tmp_path / "project")) if name.startswith("miml")]


@pytest.mark.parametrize(("name", "labels"), [("msrc_v2", "GroundTruth"), ("scene", "processed/miml data.mat")])
def test_the_published_datasets_have_configurations(name, labels, tmp_path):
    folder = copy_project(tmp_path / "project")
    images = folder / "resources" / name / {"msrc_v2": "Images", "scene": "original"}[name]
    for path in (images / "1.jpg", (images.parent / labels) / "1.bmp" if name == "msrc_v2" else images.parent / labels):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    jobs = planned(folder, "miml", config=folder / f"config/{name}.yaml")
    assert jobs["miml_features"] == jobs["official_weights"] == 1


def test_both_classifiers_beat_what_was_published_on_msrc(shared_data, tmp_path):
    folder = copy_project(tmp_path / "project")
    text = (ROOT / "tests/workflow/msrc.yaml").read_text().replace("../shared/data", str(shared_data))
    config = tmp_path / "msrc.yaml"
    config.write_text(text.replace("  bag: average\n", "  bag: average\n  splits: 3\n  sizes: []\n"))
    result = run_snakemake(folder, "--", "miml", config=config)
    assert result.returncode == 0, result.stdout
    table = pd.read_csv(folder / "results/msrc_v2/miml/tables/table1.csv").set_index(["method", "metric"])["mean"]
    for classifier, precision in {"MobileNet+L1LR": 0.896, "MobileNet+LR": 0.920}.items():
        assert table[classifier, "average precision"] == pytest.approx(precision, abs=0.03)  # three splits, not thirty
        assert table[classifier, "average precision"] > table["MIMLfast", "average precision"]
        for metric in ("coverage", "Hamming loss", "one error", "ranking loss"):
            published = [table[method, metric] for method in ("MIMLfast", "KISAR", "MIMLkNN", "MIMLSVM", "RankLSIM")]
            assert table[classifier, metric] < min(published)
