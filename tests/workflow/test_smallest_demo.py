import json
import re
from pathlib import Path

import h5py
import pandas as pd
import pytest

from multilabel.experiments import EXPERIMENTS

from .conftest import FIGURES, ROOT, planned, succeeds

RESULTS = Path("results/shapes_smallest")
TOP_MODELS = [
    "inet_avg_1x8d5_lr11_b32",
    "inet_avg_1x16d5_lr11_b32",
    "zmuvs_avg_1x8d5_lr11_b32",
    "zmuvs_avg_1x16d5_lr11_b32",
    "zmuvs_77_1x8bn_lr52_b16",
    "zmuvs_avgzca_1x8d5_lr11_b32",
]


def test_every_run_has_log_weights_and_record(finished):
    for name in TOP_MODELS:
        folder = finished / RESULTS / "top_models" / f"shapes_smallest_{name}"
        assert sorted(path.name for path in folder.iterdir()) == ["best.weights.h5", "log.csv", "run.json"]


def test_runs_that_others_are_compared_with_have_folders_of_their_own(finished):
    for folder in ("random_base", "coverage", "seeds/1", "seeds/2"):
        (run,) = (finished / RESULTS / folder / "top_models").iterdir()
        assert run.name == "shapes_smallest_zmuvs_avg_1x8d5_lr11_b32"
        assert pd.read_csv(finished / RESULTS / folder / f"timing/top_models/{run.name}.csv")["epoch"].tolist() == [
            0,
            1,
            2,
        ]
    records = [json.loads(path.read_text()) for path in sorted((finished / RESULTS / "seeds").rglob("run.json"))]
    assert [record["settings"]["seed"] for record in records] == [1, 2]


def test_the_table_of_metrics_has_a_row_for_each_comparison(finished):
    frame = pd.read_csv(finished / RESULTS / "tables/metrics.csv")
    assert frame["model"].tolist() == [
        "top model, base with random weights",
        "one-vs-rest logistic regression",
        "top model, trained on coverage labels",
        "top model",
        "fine-tuned",
        "top model, mean ± standard deviation of 3 seeds",
    ]
    assert frame["mAP"].nunique() == 6
    assert frame["mAP std"].notna().tolist() == [False] * 5 + [True]


def test_every_table_exists_in_four_forms(finished):
    names = {
        "dataset_statistics",
        "table1",
        "table2",
        "table3",
        "top_models",
        "finetuned",
        "metrics",
        "intervals",
        "comparisons",
        "reproduction",
        "best_epochs",
        "cooccurrence",
        "learning_curve",
        "single_label",
    }
    found = {path.name for path in (finished / RESULTS / "tables").iterdir()}
    assert found == {f"{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex", "html")}


def test_every_figure_exists_in_two_forms(finished):
    found = {path.name for path in (finished / RESULTS / "figures").iterdir()}
    assert found == {f"{name}.{suffix}" for name in FIGURES for suffix in ("pdf", "png")}
    timed = {path.name for path in (finished / RESULTS / "timing/figures").iterdir()}
    assert timed == {"fig6b.pdf", "fig6b.png"}


def test_every_file_that_the_docs_name_is_made(finished):
    text = (ROOT / "docs/figures.md").read_text()
    named = re.findall(r"`((?:tables|figures|provenance)/\w+\.\w+|gallery\.html)`", text)
    assert len(named) > 25
    assert [path for path in named if not (finished / RESULTS / path).exists()] == []


def test_a_record_tells_where_a_run_comes_from(finished):
    name = "shapes_smallest_zmuvs_avg_1x8d5_lr11_b32_15_lr12_b16_hwrszf"
    record = json.loads((finished / RESULTS / "finetuned" / name / "run.json").read_text())
    assert record["specification"]["augmentation"] == "hwrszf"
    assert record["configuration"]["base"]["width"] == 0.0625
    assert {"tensorflow", "keras", "numpy", "python"} <= set(record["versions"])
    assert all(record["machine"][name] for name in ("system", "processor"))
    assert all(len(digest) == 64 for digest in record["inputs"].values())


def test_the_table_of_provenance_has_every_run(finished):
    table = pd.read_csv(finished / RESULTS / "provenance/runs.csv")
    folders = {path.parent.relative_to(finished / RESULTS) for path in (finished / RESULTS).rglob("run.json")}
    own = {str(folder) for folder in folders if folder.parts[0] not in (*EXPERIMENTS, "independent")}  # networks
    assert set(table["stage"] + "/" + table["run"]) == own
    assert not table.drop(columns=["features", "weights"]).isna().to_numpy().any()


def test_table_2_has_published_rows_and_rows_a_to_e(finished):
    methods = pd.read_csv(finished / RESULTS / "tables/table2.csv")["method"].str.split().str[0].tolist()
    assert "CNN-RNN" in methods
    assert methods[-6:] == ["best", "a.", "b.", "c.", "d.", "e."]


def test_the_final_model_is_written_with_the_reason(finished):
    choice = json.loads((finished / RESULTS / "final_model.json").read_text())
    assert choice["values"][choice["run"]] == max(choice["values"].values())


def test_predictions_are_keyed_by_image(finished):
    name = "shapes_smallest_zmuvs_avg_1x8d5_lr11_b32_15_lr12_b16_hwrszf"
    scores = finished / RESULTS / "predictions" / name / "val.h5"
    with h5py.File(scores) as predicted, h5py.File(finished / RESULTS / "labels/val.h5") as labels:
        assert predicted["image_id"][()].tolist() == labels["image_id"][()].tolist()
        assert predicted["scores"].shape == labels["labels"].shape


def test_nothing_outside_results_logs_and_benchmarks_is_written(finished):
    tracked = {Path(path).parts[0] for path in succeeds(finished, "git", "ls-files").splitlines()}
    made = {path.name for path in finished.iterdir()} - tracked - {".git"}
    assert made == {"results", "logs", "benchmarks", ".snakemake"}


def test_no_temporary_file_or_state_is_left(finished):
    assert [path for path in (finished / "results").rglob(".*") if path.name != ".snakemake_timestamp"] == []


def test_the_page_of_the_paper_says_why_a_number_was_not_reproduced(finished):
    page = pd.read_csv(finished / RESULTS / "tables/reproduction.csv")
    assert set(page["verdict"]) == {"not run at this size", "not run"}
    assert page["why"].notna().all()
    assert {f"Fig. {panel}" for panel in ("2", "3", "4a", "4b", "5a", "5b", "5c", "6a", "6b")} <= set(page["where"])


def test_a_second_call_has_nothing_to_do(finished):
    assert planned(finished) == {}


def test_each_rule_has_a_log_and_a_benchmark(finished):
    logs = {path.stem for path in (finished / "logs").rglob("*.log")}
    benchmarks = {path.stem for path in (finished / "benchmarks").rglob("*.tsv")}
    assert logs == benchmarks
    assert {"labels", "features_train", "table2"} <= logs
    assert any(name.startswith("top_models_") for name in logs)


@pytest.mark.parametrize("table", ["table2", "metrics"])
def test_the_numbers_of_a_table_are_no_nan(finished, table):
    frame = pd.read_csv(finished / RESULTS / f"tables/{table}.csv").select_dtypes("number")
    assert len(frame.columns) >= 6
    assert frame[[name for name in frame if not name.endswith(" std")]].notna().to_numpy().all()
