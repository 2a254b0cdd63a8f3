import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilabel.config.patterns import expand
from multilabel.experiments.transfer import runs
from multilabel.experiments.transfer.runs import FinetuneRun, TopModelRun

rates = st.from_regex(r"[1-9]\d?\d", fullmatch=True)
top_models = st.builds(
    TopModelRun,
    dataset=st.sampled_from(["coco_2017", "shapes_demo"]),
    preprocess=st.sampled_from(runs.PREPROCESSES),
    pooling=st.sampled_from(runs.POOLINGS),
    layers=st.integers(1, 12),
    nodes=st.integers(1, 9000),
    regulariser=st.sampled_from(["d5", "d3", "d25", "bn"]),
    rate=rates,
    batch_size=st.integers(1, 999),
)
augmentations = st.sets(st.sampled_from("hwrszf")).map(lambda s: "".join(c for c in "hwrszf" if c in s))
finetuned = st.builds(
    FinetuneRun,
    top_model=top_models,
    frozen=st.sampled_from(["15", "all", "0"]),
    rate=rates,
    batch_size=st.integers(1, 999),
    augmentation=augmentations,
)


@given(st.one_of(top_models, finetuned))
def test_a_name_reads_back_as_the_run_it_names(run):
    assert runs.parse(run.name) == run
    assert runs.parse(run.short_name, run.dataset) == run


def test_the_example_of_section_4_3():
    run = runs.parse("coco_2017_zmuvs_avg_1x2048d5_lr11_b32")
    assert run == TopModelRun("coco_2017", "zmuvs", "avg", 1, 2048, "d5", "11", 32)
    assert (run.dropout, run.learning_rate) == (0.5, 0.1)


def test_the_final_model_of_section_5_1():
    run = runs.parse("zmuvs_avg_2x4096d5_lr11_b256_15_lr11_b128_hwrszf", "coco_2017")
    assert run.name == "coco_2017_zmuvs_avg_2x4096d5_lr11_b256_15_lr11_b128_hwrszf"
    assert (run.frozen, run.learning_rate, run.batch_size, run.augmentation) == ("15", 0.1, 128, "hwrszf")


def test_zmuv_and_zmuvs_are_the_same_run():
    assert runs.parse("coco_2017_zmuv_max_1x1024bn_lr52_b64") == runs.parse("coco_2017_zmuvs_max_1x1024bn_lr52_b64")


@pytest.mark.parametrize(("code", "value"), [("11", 0.1), ("52", 0.05), ("53", 0.005), ("13", 0.001)])
def test_learning_rates_are_x_times_ten_to_the_minus_y(code, value):
    assert runs.parse(f"zmuvs_avg_1x8d5_lr{code}_b32", "coco_2017").learning_rate == value


def test_augmentation_letters_have_one_order():
    assert runs.parse("zmuvs_avg_1x8d5_lr11_b32_all_lr11_b8_fh", "coco_2017").augmentation == "hf"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zmuvs_avg_2x4096_lr11_b32", "expected"),
        ("zmux_avg_2x4096d5_lr11_b32", "inet, zmuvs"),
        ("zmuvs_avg_2x4096d5_lr1_b32", "one digit"),
        ("zmuvs_avg_2x4096d5_lr11_b32_15_lr11_b128_hh", "repeats"),
    ],
)
def test_a_wrong_name_says_what_was_expected(name, message):
    with pytest.raises(ValueError, match=message):
        runs.parse(name, "coco_2017")


def test_a_short_name_needs_its_dataset():
    with pytest.raises(ValueError, match="expected a dataset"):
        runs.parse("zmuvs_avg_1x8d5_lr11_b32")


def test_the_papers_grid_has_36_runs():
    names = list(expand(["zmuvs_avg_{1,2}x{1024,2048,4096}d5_lr{11,52}_b{32,64,128}"]))
    assert len(names) == len(set(names)) == 36
    assert {runs.parse(name, "coco_2017").short_name for name in names} == set(names)


def test_a_name_in_two_patterns_counts_once():
    assert list(expand(["a{1,2}", "a{2,3}"])) == ["a1", "a2", "a3"]


def test_an_open_brace_is_an_error():
    with pytest.raises(ValueError, match="brace without its partner"):
        list(expand(["a{1,2"]))
