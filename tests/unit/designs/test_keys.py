from pathlib import Path

import pytest
import yaml

from multilabel import config
from multilabel.experiments.designs import names

VOC = yaml.safe_load((Path(__file__).parents[3] / "config/voc_2007.yaml").read_text())


def test_voc_2007_as_configured_is_the_tutorials():
    assert config.load(VOC).is_the_tutorials
    assert not config.Config().is_the_tutorials


@pytest.mark.parametrize("designs", [{"input_size": 64}, {"epochs": {"model1": 5}}, {"augmentation": {"flip": False}}])
def test_other_networks_or_training_are_not(designs):
    assert not config.load(VOC | {"designs": designs}).is_the_tutorials


def test_objects_that_are_ignored_are_another_dataset():
    assert not config.load(VOC | {"dataset": VOC["dataset"] | {"difficult": "ignore"}}).is_the_tutorials


def test_further_losses_and_the_forum_do_not_matter():
    assert config.load(VOC | {"designs": {"variants": ["focal"], "forum": {"seeds": 2}}}).is_the_tutorials


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"variants": ["focal", "focal"]}, "variants: expected each once, found focal, focal"),
        ({"variants": ["hinge"]}, r"designs\.variants\.0: .*found 'hinge'"),
        ({"dropout": [0.5]}, r"designs\.dropout: .*found \[0\.5\]"),
        ({"filters": []}, r"designs\.filters: "),
        ({"validation": 0.0}, r"designs\.validation: .*found 0"),
        ({"epochs": {"model4": 3}}, r"designs\.epochs\.model4: unknown key; did you mean model"),
    ],
)
def test_a_wrong_entry_is_named(wrong, message):
    with pytest.raises(config.ConfigError, match=message):
        config.load({"designs": wrong})


def test_the_forums_features_are_extracted_with_those_of_others():
    wanted = config.load({"designs": {"forum": {"preprocess": "torch", "pooling": "max"}}}).feature_sets[""].designs
    assert ("torch", "max") in wanted
    assert len(set(wanted)) == len(wanted)
    assert config.Config().feature_sets[""].designs.count(("zmuvs", "avg")) == 1


def test_runs_of_model_3_have_the_names_of_their_losses():
    assert names.runs_of(["softmax"]) == ["model3", "model3_softmax"]
    assert [names.loss_of(run) for run in names.runs_of(["softmax"])] == ["sigmoid_bce", "softmax"]
