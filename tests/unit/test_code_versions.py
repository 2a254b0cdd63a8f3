"""What a job's code is: training and predicting are not done again for what only judges, draws or tells."""

import pytest

from multilabel import provenance

from .test_config import ROOT

SCRIPTS = ROOT / "workflow/scripts"
# What trains or predicts. `independent` is not among them: it chooses its cost by a metric.
COSTLY = [
    "features.py",
    "pretrain.py",
    "whiten.py",
    "miml/features.py",
    "miml/run.py",
    "miml/splits.py",
    "transfer/finetune.py",
    "transfer/learning_curve.py",
    "transfer/predict_finetuned.py",
    "transfer/predict_top_model.py",
    "transfer/single_label.py",
    "transfer/top_models.py",
]


def modules(script):
    return {path.relative_to(ROOT / "workflow/multilabel").as_posix() for path in provenance.library_of(script)}


@pytest.mark.parametrize("script", COSTLY)
def test_what_trains_or_predicts_does_not_depend_on_metrics_and_reports(script):
    needed = modules(SCRIPTS / script)
    assert needed
    assert [name for name in needed if name in ("evaluation/metrics.py", "evaluation/all_metrics.py")] == []
    assert [name for name in needed if name.startswith("report/") or name == "logs.py"] == []


@pytest.mark.parametrize("script", ["transfer/dataset_statistics.py", "transfer/origins.py"])
def test_tables_without_metrics_do_not_depend_on_them(script):
    assert "evaluation/metrics.py" not in modules(SCRIPTS / script)
