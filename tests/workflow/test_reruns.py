"""What is run again after a change, and what is not."""

import os
import re
from pathlib import Path

import h5py
import pytest
import yaml

from multilabel.experiments import EXPERIMENTS

from .conftest import ROOT, call, copy_project, planned, run_snakemake, succeeds

CONFIG = "tests/workflow/smallest.yaml"
RUN = "shapes_smallest_zmuvs_avg_1x8d5_lr11_b32"
EVALUATION = {"predict_finetuned", "metrics", "final_model", "table2", "examples", "metric_table", "curves"} | {
    "single_label_table",
    "intervals",
    "cooccurrence",
    "reproduction",
    "provenance",
    "gallery",
    "model",
}


def changed_config(folder: Path, **sections) -> Path:
    """A copy of the smallest configuration with other values in some sections."""
    content = yaml.safe_load((ROOT / CONFIG).read_text())
    for name, values in sections.items():
        content[name] = content.get(name, {}) | values
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_clean_tree_has_every_job_to_do(tmp_path):
    jobs = planned(copy_project(tmp_path / "project"))
    assert {"scenes", "labels", "pretrain", "features", "finetune", "table2"} <= set(jobs)


def test_editing_finetune_runs_fine_tuning_and_what_follows(changeable):
    jobs = planned(changeable, config=changed_config(changeable, finetune={"momentum": 0.5}))
    assert EVALUATION | {"finetune", "run_tables"} <= set(jobs)
    assert set(jobs) <= EVALUATION | {"finetune", "run_tables", "loss_figures"}


def test_editing_the_grid_runs_top_models_and_no_extraction(changeable):
    jobs = planned(changeable, config=changed_config(changeable, grid={"patience": 2}))
    assert any(name.startswith("top_models_") for name in jobs)
    assert {"finetune", "table2"} <= set(jobs)
    assert not {"features", "pretrain", "labels", "scenes"} & set(jobs)


def test_a_further_seed_trains_no_run_again(changeable):
    jobs = planned(changeable, config=changed_config(changeable, grid={"seeds": 4}))
    shown = ["run_tables", "metric_table", "loss_figures", "time_figure", "provenance"]
    assert jobs == dict.fromkeys(
        ["seeds_3_top_models_zmuvs_avg_1x8d5_lr11_b32", "predict_top_model", "metrics", *shown], 1
    )


def test_editing_a_figure_draws_figures_and_compares_them_with_the_papers(changeable):
    figures = {"fig5a": ["zmuvs_avg_1x8d5_lr11_b32"]}
    jobs = planned(changeable, config=changed_config(changeable, figures=figures))
    assert jobs == {"loss_figures": 1, "run_tables": 1, "reproduction": 1}


SHOWN = {
    "experiments/transfer/tables.py": ["table1", "table2", "single_label_table", "reproduction", "reference_figures"],
    "experiments/transfer/figures.py": ["loss_figures", "time_figure", "learning_curve_figure", "reference_figures"],
    "experiments/transfer/reproduction.py": ["reproduction"],
    "experiments/miml/tables.py": ["miml_report"],
    "experiments/miml/figures.py": ["miml_report"],
    "report/curves.py": ["curves", "loss_figures", "time_figure", "run_tables", "reproduction"],
    "evaluation/bootstrap.py": [
        *["intervals", "designs_quality", "designs_costs", "query2label_comparison"],
        *["comparison_quality", "comparison_inference", "comparison_costs", "comparison_gallery"],
    ],
}


@pytest.mark.parametrize("module", SHOWN)
def test_editing_what_shows_results_runs_that_alone(changeable, module):
    path = changeable / "workflow/multilabel" / module
    path.write_text(path.read_text() + "\n\nNEW = 1\n")
    jobs = planned(changeable, *EXPERIMENTS)
    assert jobs == dict.fromkeys([rule for rule in SHOWN[module] if rule != "reference_figures"], 1)


@pytest.mark.parametrize("module", ["training/loop", "images/decode", "datasets/coco", "evaluation/metrics"])
def test_editing_docstrings_and_comments_runs_nothing(changeable, module):
    path = changeable / "workflow/multilabel" / f"{module}.py"
    text = path.read_text()
    changed, count = re.subn(r'\n    """(?=\w)', '\n    # another comment\n    """Other words. ', text)
    assert count > 0
    path.write_text(changed)
    assert planned(changeable) == {}


@pytest.mark.parametrize("without_profile", [(), ("--workflow-profile", "none")], ids=["profile", "no profile"])
def test_a_touched_script_with_a_comment_runs_nothing(changeable, without_profile):
    script = changeable / "workflow/scripts/labels.py"
    script.write_text(script.read_text() + "# another comment\n")
    assert planned(changeable, *without_profile) == {}


@pytest.mark.parametrize(
    "change",
    [{"features": {"workers": 2}}, {"dataset": {"damaged_images": "skip"}}, {"grid": {"runs_per_job": 1}}],
    ids=str,
)
def test_what_cannot_change_a_result_runs_nothing(changeable, change):
    assert planned(changeable, *EXPERIMENTS, config=changed_config(changeable, **change)) == {}


def test_a_run_that_is_added_is_trained_and_no_other(changeable):
    extra = ["zmuvs_{77_1x8bn_lr52_b16,avgzca_1x8d5_lr11_b32}", "zmuvs_avg_1x4d5_lr11_b32"]
    jobs = planned(changeable, config=changed_config(changeable, grid={"extra": extra}))
    shown = ["run_tables", "loss_figures", "reproduction", "provenance", "table1", "curves"]
    assert jobs == dict.fromkeys(["top_models_zmuvs_avg_1x4d5_lr11_b32", *shown], 1)


def test_the_authors_figures_need_no_data(tmp_path):
    folder = copy_project(tmp_path / "project")
    result = run_snakemake(folder, "--", "reference_figures", config=ROOT / "config/config.yaml")
    assert result.returncode == 0, result.stdout
    drawn = {path.name for path in (folder / "results/maddox2017/figures").glob("*.png")}
    assert drawn == {"fig5a.png", "fig5b.png", "fig5c.png", "fig6a.png", "fig6b.png"}


def test_one_figure_can_be_asked_for_by_name(changeable):
    (changeable / "results/shapes_smallest/figures/fig5a.pdf").unlink()
    assert planned(changeable, "results/shapes_smallest/figures/fig5a.pdf") == {"loss_figures": 1}


def test_one_run_can_be_asked_for_by_name(changeable):
    log = "results/shapes_smallest/top_models/shapes_smallest_zmuvs_77_1x8bn_lr52_b16/log.csv"
    (changeable / log).unlink()
    jobs = planned(changeable, log)
    assert len(jobs) == 1
    assert next(iter(jobs)).startswith("top_models_")


def test_a_run_of_another_configuration_is_refused_where_runs_are_gathered(changeable):
    record = next((changeable / "results/shapes_smallest/finetuned").glob("*/run.json"))
    record.write_text(record.read_text().replace('"momentum": 0.9', '"momentum": 0.8'))
    result = run_snakemake(changeable, "--forcerun", "run_tables", "--", "results/shapes_smallest/tables/finetuned.csv")
    assert result.returncode != 0
    assert "momentum: expected 0.9, found 0.8" in result.stdout


FEATURES = "results/shapes_smallest/features/train_zmuvs_avg.h5"


@pytest.fixture
def zeroed(changeable) -> Path:
    """The project with a feature file of zeros behind its old time, which Snakemake does not see."""
    path = changeable / FEATURES
    times = path.stat()
    with h5py.File(path, "r+") as file:
        file["features"][...] = 0
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert planned(changeable) == {}
    return changeable


def test_runs_of_other_features_than_there_are_do_not_reach_the_tables(zeroed):
    result = run_snakemake(zeroed, "--forcerun", "run_tables", "--", "results/shapes_smallest/tables/finetuned.csv")
    assert result.returncode != 0
    assert re.search(rf"{FEATURES}: \d+ run\(s\), such as results/", result.stdout)


def test_features_that_changed_behind_their_time_train_nothing(zeroed):
    changed = changed_config(zeroed, grid={"seeds": 4})
    result = run_snakemake(zeroed, "--", "results/shapes_smallest/seeds/3/metrics/" + RUN + ".json", config=changed)
    assert result.returncode != 0
    assert f"{FEATURES}: its content was changed since it was last used, but not its time" in result.stdout


def test_everything_can_be_verified_on_demand(changeable):
    command = ["python", "workflow/versions.py", "verify", "--configfile", str(ROOT / CONFIG)]
    assert re.search(r"Verified: \d\d+ files", succeeds(changeable, *command))
    (changeable / FEATURES).write_bytes(b"other features")
    result = call(changeable, *command)
    assert result.returncode != 0
    assert f"{FEATURES}: " in result.stdout


def test_a_wrong_key_stops_before_any_job(changeable):
    result = run_snakemake(changeable, config=changed_config(changeable, grid={"patience": 2, "runs_per_jobs": 1}))
    assert result.returncode != 0
    assert "grid.runs_per_jobs: unknown key; did you mean runs_per_job?" in result.stdout
    assert "Job stats" not in result.stdout


def test_a_key_given_twice_stops_before_any_job(changeable):
    config = changed_config(changeable)
    config.write_text(config.read_text() + "\ngrid:\n  epochs: 1\n")
    result = run_snakemake(changeable, config=config)
    assert result.returncode != 0
    assert re.search(r"changed.yaml gives keys twice.*\n  grid: in lines \d+ and \d+", result.stdout)
