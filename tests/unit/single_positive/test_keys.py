import pytest

from multilabel import config
from multilabel.experiments.single_positive.runs import Run, Study, short_rate

SMALL = {"batch_sizes": [16], "learning_rates": [1e-2]}


def keys(**values):
    return config.load({"single_positive": values}).single_positive


def test_every_loss_is_searched_in_each_mode_on_the_first_number_of_labels_and_some_linearly_on_the_others():
    found = keys(observed=[1, 0.5], observed_losses=["an", "role"])
    assert [study.name for study in found.linear_studies[-3:]] == [
        "linear_role_o1",
        "linear_an_o50p",
        "linear_role_o50p",
    ]
    assert len(found.linear_studies) == 12
    assert [study.mode for study in found.image_studies] == ["end_to_end"] * 10 + ["linear_init"] * 2
    assert len(found.searched(found.studies[0])) == 8


def test_linear_init_starts_from_the_published_linear_runs():
    found = keys()
    starts = [found.start_of(study).name for study in found.image_studies[-2:]]
    assert starts == ["linear_role_o1_b16_lr13", "linear_an_ls_o1_b8_lr14"]


def test_the_paper_at_full_size_departs_from_nothing():
    paper = {"name": "coco", "subset": "2014", "crowds": True}
    found = config.load(
        {"dataset": paper, "base": {"network": "torchvision.resnet50", "input_size": 448}, "single_positive": {}}
    )
    assert found.single_positive_departures == []
    split = config.load({"dataset": {"validation": {"fraction": 0.2}}, "single_positive": {}})
    assert "dataset.validation.fraction is 0.2, not 0" in split.single_positive_departures
    assert "dataset is coco_2017, not coco_2014" in config.load({}).single_positive_departures


def test_the_share_for_validation_concerns_runs_only_where_the_dataset_has_no_such_images():
    with_own = config.load({"dataset": {"validation": {"fraction": 0.1}}})
    assert "validation" not in with_own.single_positive_record
    assert config.load({}).single_positive_record["validation"] == 0.2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"observed": [0]}, "single_positive.observed: expected whole numbers from 1, shares"),
        ({"observed": []}, "single_positive.observed: expected whole numbers from 1, shares"),
        ({"observed": [1.5]}, "single_positive.observed: expected whole numbers from 1, shares"),
        ({"k": [0]}, "single_positive.k: expected numbers from 1 to the number of labels"),
        ({"linear": {"learning_rates": [0.0015]}}, "expected a digit times a power of ten"),
        ({"linear": {"batch_sizes": []}}, "single_positive.linear.batch_sizes: expected different numbers above 0"),
        ({"linear": {"losses": ["bce"]}, "linear_init_losses": []}, "linear.losses: expected at least one of pr, an"),
        ({"linear": SMALL}, "role starts from a linear run with batch size 16 and learning rate 0.001"),
        ({"linear": {"losses": ["focal"]}}, "single_positive.linear.losses.0: "),
        ({"validation": 0.0}, "single_positive.validation: "),
    ],
)
def test_a_wrong_entry_is_named(values, message):
    with pytest.raises(config.ConfigError) as error:
        keys(**values)
    assert message in str(error.value)


@pytest.mark.parametrize(("rate", "name"), [(1e-3, "13"), (0.05, "52"), (0.1, "11"), (1e-5, "15")])
def test_learning_rates_have_the_names_of_all_runs(rate, name):
    assert short_rate(rate) == name
    assert Run(Study("linear", "an"), 8, rate, 0).name == f"linear_an_o1_b8_lr{name}"


def test_a_further_seed_is_named_without_settings():
    assert Run(Study("linear", "an", "all"), 8, 1e-3, 2, further=True).name == "linear_an_oall_s2"


def test_features_are_those_of_the_grid_where_it_has_them():
    shared = config.load({"single_positive": {"preprocess": "zmuvs"}})
    assert "single_positive" not in shared.feature_sets
    assert ("zmuvs", "avg") in shared.feature_sets[shared.single_positive_features].designs


def test_features_that_no_other_experiment_wants_lie_apart():
    apart = config.load({"single_positive": {"preprocess": "torch"}})
    assert apart.single_positive_features == "single_positive"
    assert apart.feature_sets["single_positive"].designs == [("torch", "avg")]
    assert ("torch", "avg") not in apart.feature_sets[""].designs
