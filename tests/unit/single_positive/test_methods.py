"""What the experiment offers for comparison."""

import subprocess
import sys

import pytest

from multilabel import config
from multilabel.experiments.single_positive.methods import methods
from multilabel.methods import LeftOut, Method, Run

SPLIT = {"validation": {"fraction": 0.2}}
SINGLE = {"linear": {"seeds": 2}, "end_to_end": {"losses": ["role"]}}


def offers(single=SINGLE, **dataset):
    """By name."""
    found = methods(config.load({"dataset": SPLIT | dataset, "single_positive": single}))
    return {offer.name: offer for offer in found}


def test_three_losses_are_offered_and_those_that_are_fine_tuned():
    assert {name: offer.title for name, offer in offers().items()} == {
        "single_an": "AN, one label per image",
        "single_epr": "EPR, one label per image",
        "single_role": "ROLE, one label per image",
        "single_role_finetuned": "ROLE, one label per image, fine-tuned",
    }


def test_a_method_has_the_chosen_run_with_each_seed():
    role = offers()["single_role"]
    runs = tuple(
        Run(
            f"linear_role_o1_s{seed}",
            "single_positive",
            f"single_positive/chosen/linear_role_o1_s{seed}/run.json",
            (f"single_positive/timing/linear_role_o1_s{seed}.csv",),
        )
        for seed in (0, 1)
    )
    assert role == Method(
        "single_role",
        "ROLE, one label per image",
        (runs,),
        ("single_positive/models/linear_role_o1.h5",),
        labels=1.0,
    )


def test_more_observed_labels_are_said():
    offer = offers(SINGLE | {"observed": [2, 1], "linear_init_losses": []})["single_an"]
    assert (offer.title, offer.labels) == ("AN, 2 labels per image", 2.0)
    assert offer.candidates[0][0].name == "linear_an_o2_s0"


@pytest.mark.parametrize(
    ("single", "dataset", "reason"),
    [
        ({"linear": {"losses": ["an"]}, "linear_init_losses": []}, {}, "single_positive.linear.losses has no epr"),
        ({"observed": ["all", 1]}, {}, "single_positive.observed begins with all"),
        ({"observed": [0.5]}, {}, "single_positive.observed begins with 0.5"),
        ({}, {"kind": "voc", "difficult": "ignore"}, "dataset.difficult is ignore"),
    ],
)
def test_what_cannot_be_compared_is_left_out_with_the_key(single, dataset, reason):
    offer = offers(SINGLE | single, **dataset)["single_epr"]
    assert isinstance(offer, LeftOut)
    assert reason in offer.reason


def test_a_workflow_is_planned_without_tensorflow():
    code = "import sys, multilabel.experiments.single_positive.methods; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
