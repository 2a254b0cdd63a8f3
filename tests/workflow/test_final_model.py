import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from multilabel import export
from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import decisions
from multilabel.evaluation.predictions import load, load_with_truth
from multilabel.files import read_json

RESULTS = "results/shapes_smallest"
MODEL = f"{RESULTS}/model/shapes_smallest.h5"


@pytest.fixture(scope="module")
def final(finished):
    """Name of the final model, labels and scores of the test images."""
    run = read_json(finished / RESULTS / "final_model.json")["run"]
    labels = finished / RESULTS / "labels/test.h5"
    return run, LabelMatrix.load(labels), finished / RESULTS / "predictions" / run / "test.h5"


def test_the_model_file_has_the_final_run_and_its_origin(finished, final):
    model = export.load(finished / MODEL)
    assert (model.run, model.classes) == (final[0], final[1].classes)
    assert model.provenance["run"] == read_json(finished / RESULTS / "finetuned" / final[0] / "run.json")


def test_thresholds_of_the_model_file_come_from_validation(finished, final):
    validation = load_with_truth(final[2].with_name("val.h5"), finished / RESULTS / "labels/val.h5")
    expected = decisions.cardinality_thresholds(validation.scores, validation.truth)
    assert export.load(finished / MODEL).thresholds.tolist() == expected.tolist()


def test_multilabel_predict_gives_the_scores_of_the_workflow(finished, final):
    command = [sys.executable, "-m", "multilabel", "predict", MODEL, f"{RESULTS}/data/val", "--format", "csv"]
    result = subprocess.run(command, cwd=finished, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    _, labels, path = final
    _, scores = load(path)
    found = {
        (row["image"].rpartition("/")[2], row["label"]): float(row["score"])
        for row in csv.DictReader(io.StringIO(result.stdout))
    }
    keys = [(image, label) for image in labels.file_name for label in labels.classes]
    np.testing.assert_allclose([found[key] for key in keys], scores.ravel(), rtol=0, atol=1e-5)


def test_the_page_has_every_test_image(finished, final):
    text = (finished / RESULTS / "gallery.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text).group(1))
    assert [image[0] for image in data["images"]] == list(final[1].file_name)
