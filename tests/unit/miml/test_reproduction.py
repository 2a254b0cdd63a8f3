"""Paper 003 against ours: verdicts follow from numbers and claims."""

import pandas as pd
import pytest

from multilabel import config
from multilabel.experiments.miml import reproduction, tables
from multilabel.experiments.miml.measures import METRICS
from multilabel.experiments.miml.protocol import CLASSIFIERS
from multilabel.report.verdicts import NOT, NOT_RUN, OTHER_SIZE, REPRODUCED, WITHIN


@pytest.fixture(scope="module")
def said():
    return tables.published()


def scores(said, dataset="msrc", shift=0.0, sizes=(30, 200, 394)):
    """The published means; with fewer images worse, by as much for 30 as makes the curve flatten."""
    rows = []
    for name in CLASSIFIERS:
        for size, worse in zip(sizes, (0.3, 0.05, 0.0), strict=False):
            values = {
                metric: said[dataset][name][metric][0] + (shift - worse if METRICS[metric][1] == "↑" else worse - shift)
                for metric in METRICS
            }
            rows.append({"split": 0, "classifier": name, "images": size, **values})
    return pd.DataFrame(rows)


def verdicts_of(rows, start):
    return {row.verdict for row in rows if row.what.startswith(start)}


@pytest.mark.parametrize("dataset", ["msrc", "scene"])
def test_the_papers_own_numbers_are_reproduced_with_its_claims(said, dataset):
    rows = reproduction.page(said, dataset, scores(said, dataset), comparable=True)
    assert len(rows) == 2 * len(METRICS) + 6 + 3
    assert verdicts_of(rows, "VGG+") == verdicts_of(rows, "both") == verdicts_of(rows, "the curves") == {REPRODUCED}
    assert verdicts_of(rows, "MIMLfast") == {NOT_RUN}


@pytest.mark.parametrize(("shift", "verdict"), [(0.02, WITHIN), (-0.02, WITHIN), (0.09, NOT)])
def test_other_numbers_are_judged_by_their_distance(said, shift, verdict):
    rows = reproduction.page(said, "msrc", scores(said, shift=shift), comparable=True)
    assert verdicts_of(rows, "VGG+LR: ") == {verdict}


def test_a_claim_that_does_not_hold_names_what_is_against_it(said):
    frame = scores(said)
    frame.loc[frame["classifier"] == "VGG+LR", "coverage"] = 0.01
    rows = reproduction.page(said, "msrc", frame, comparable=True)
    (row,) = [row for row in rows if row.what == "VGG+L1LR is better than VGG+LR"]
    assert (row.verdict, row.ours, row.why) == (NOT, "4 of 5", "holds for 4 of 5; not for coverage")


def test_another_network_or_dataset_is_not_judged(said):
    rows = reproduction.page(said, "msrc", scores(said), comparable=False)
    assert {row.verdict for row in rows} == {NOT_RUN, OTHER_SIZE}
    rows = reproduction.page(said, "birds", scores(said), comparable=True)
    assert {row.verdict for row in rows} == {NOT_RUN, OTHER_SIZE}
    assert len(rows) == 3


def test_two_sizes_have_no_curve(said):
    rows = reproduction.page(said, "msrc", scores(said, sizes=(30, 394)), comparable=True)
    assert verdicts_of(rows, "the curves") == {NOT_RUN}


def test_departures_name_what_is_not_the_papers():
    assert config.Config().miml_departures == []
    found = config.load({"base": {"network": "VGG19"}, "miml": {"splits": 3}}).miml_departures
    assert found == ["base.network is VGG19, not VGG16", "miml.splits is 3, not 30"]
