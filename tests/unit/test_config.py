import runpy
from pathlib import Path

import pytest
import yaml

from multilabel import config
from multilabel.config import ConfigError
from multilabel.config.patterns import expand
from multilabel.config.transfer import PANELS

ROOT = Path(__file__).resolve().parents[2]
generate = runpy.run_path(str(ROOT / "workflow" / "schemas" / "generate.py"))


def merged(*layers):
    """What Snakemake makes of several configuration files."""
    result = {}
    for layer in layers:
        for key, value in layer.items():
            nested = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if nested else value
    return result


def read(name):
    return yaml.safe_load((ROOT / "config" / name).read_text())


def test_config_yaml_is_the_paper_at_full_size_with_every_key():
    assert read("config.yaml") == config.Config().model_dump()


def test_the_paper_has_50_top_models_of_which_36_are_the_grid():
    paper = config.load(read("config.yaml"))
    assert len(paper.top_models) == 50
    batches = {run.batch_size for run in paper.top_models[:36]}
    assert (batches, paper.dataset_id, paper.splits, paper.test_split) == (
        {32, 64, 128},
        "coco_2017",
        ["train", "val"],
        "val",
    )


def test_a_small_grid_takes_no_other_keys():
    """The grid and the run that is fine-tuned; panels show what is trained of them."""
    small = config.load(
        {
            "grid": {"runs": ["zmuvs_avg_1x{1024,2048}d5_lr11_b128"], "extra": []},
            "finetune": {"runs": ["zmuvs_avg_1x1024d5_lr11_b128_all_lr12_b32"]},
        }
    )
    assert [run.short_name for run in small.top_models] == [f"zmuvs_avg_1x{n}d5_lr11_b128" for n in (1024, 2048)]
    assert small.panel("fig5a") == small.top_models
    assert {panel for panel in PANELS if small.is_drawn(panel)} == {"fig5a"}
    assert small.learning_curve_run == small.top_models[0]


@pytest.mark.parametrize("name", ["config.yaml", "demo.yaml"])
def test_all_runs_of_all_panels_are_trained(name):
    """In the paper's configuration and the demo's."""
    settings = config.load(merged(read("config.yaml"), read(name)))
    sizes = {panel: len(list(expand(getattr(settings.figures, panel)))) for panel in PANELS}
    assert {panel: len(settings.panel(panel)) for panel in PANELS} == sizes


def test_the_final_model_of_the_paper_is_among_the_fine_tuned_runs():
    names = [run.name for run in config.load(read("config.yaml")).finetuned]
    assert "coco_2017_zmuvs_avg_2x4096d5_lr11_b256_15_lr11_b128_hwrszf" in names


def test_demo_yaml_names_only_what_differs():
    paper, demo = read("config.yaml"), read("demo.yaml")

    def leaves(layer, prefix=()):
        for key, value in layer.items():
            yield from leaves(value, (*prefix, key)) if isinstance(value, dict) else [((*prefix, key), value)]

    for path, value in leaves(demo):
        original = paper
        for key in path:
            original = original[key]
        assert value != original, path


def test_the_demo_has_the_papers_grid_and_extra_runs_with_small_layers():
    demo = config.load(merged(read("config.yaml"), read("demo.yaml")))
    assert len(demo.top_models) == 50


@pytest.mark.parametrize("document", ["schema", "reference"])
def test_generated_documents_are_those_of_the_current_models(document):
    path = {"schema": generate["SCHEMA"], "reference": generate["REFERENCE"]}[document]
    assert path.read_text(encoding="utf-8") == generate[document](), "run `make schema`"


def test_every_key_has_a_meaning():
    assert "|  |\n" not in generate["reference"]()


def test_a_held_out_validation_split_makes_a_third_split():
    chosen = config.load({"dataset": {"validation": {"fraction": 0.1}}})
    assert (chosen.splits, chosen.test_split) == (["train", "val", "test"], "test")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"grids": {}}, "grids: unknown key; did you mean grid"),
        ({"grid": {"runs_per_jobs": 2}}, "grid.runs_per_jobs: unknown key; did you mean runs_per_job"),
        ({"dataset": {"train": {"image": "x"}}}, "dataset.train.image: unknown key; did you mean images"),
        ({"dataset": {"kind": "nus"}}, "dataset.kind: input should be 'coco', .* or 'voc'; found 'nus'"),
        ({"dataset": {"name": "my-data"}}, "dataset.name: .*found 'my-data'"),
        ({"dataset": None}, "dataset: .*found None"),
        ({"dataset": {"train": {"images": ""}}}, "dataset: train.annotations is empty|dataset: train.images is empty"),
        ({"dataset": {"test": {"fraction": 1.5}}}, "dataset.test.fraction: .*less than 1; found 1.5"),
        ({"dataset": {"test": {"fraction": 0.6}, "validation": {"fraction": 0.5}}}, "leave nothing of train"),
        ({"base": {"width": "half"}}, "base.width: .*valid number; found 'half'"),
        ({"base": {"network": "MobileNet", "width": 0.5}}, "width 0.5 is for VGG16"),
        ({"base": {"weights": "pretrain"}}, "base.weights is pretrain, which needs dataset.kind shapes; found coco"),
        ({"grid": {"patience": 0}}, "grid.patience: .*greater than or equal to 1; found 0"),
        ({"grid": {"momentum": True}}, "grid.momentum: .*found True"),
        ({"grid": {"runs": ["zmuvs_avg_2x4096"]}}, "grid.runs: run name 'zmuvs_avg_2x4096': expected"),
        ({"grid": {"runs": []}}, "grid.runs is empty"),
        ({"grid": {"runs": ["zmuvs_avg_1x8d5_lr11_b8_15_lr11_b8"]}}, "belong in finetune.runs"),
        ({"grid": {"runs": ["voc_2007_zmuvs_avg_1x8d5_lr11_b8"]}}, "of another dataset than coco_2017"),
        ({"finetune": {"runs": []}}, "finetune.runs is empty"),
        ({"finetune": {"runs": ["zmuvs_avg_2x4096d5_lr11_b128"]}}, "finetune.runs: .*no second stage"),
        (
            {"finetune": {"runs": ["zmuvs_avg_2x4069d5_lr11_b128_15_lr11_b128"]}},
            "starts from zmuvs_avg_2x4069d5_lr11_b128, which is no run .*the nearest is zmuvs_avg_2x4096d5_lr11_b128",
        ),
        (
            {
                "grid": {"extra": ["zmuvs_avgzca_1x8d5_lr11_b8"]},
                "finetune": {"runs": ["zmuvs_avgzca_1x8d5_lr11_b8_15_lr11_b8"]},
            },
            "starts from whitened features, .*expected avg in place of avgzca",
        ),
        (
            {"labels": {"kind": "coverage"}, "dataset": {"kind": "csv"}},
            "labels.kind is coverage, which needs the masks of dataset.kind coco or shapes; found csv",
        ),
        ({"grid": {"coverage": True}, "dataset": {"kind": "csv"}}, "grid.coverage is true, which needs the masks"),
        ({"grid": {"seeds": 0}}, "grid.seeds: input should be greater than or equal to 1; found 0"),
        (
            {"grid": {"seeds": 2, "repeated": ["zmuvs_avg_3x1024d5_lr11_b32"]}},
            "grid.repeated: expected runs of stage 1, found zmuvs_avg_3x1024d5_lr11_b32",
        ),
        ({"base": {"network": "VGG61"}}, "base.network: expected a network .*near: VGG19, VGG16; found 'VGG61'"),
        ({"base": {"network": "?"}}, "base.network: expected .*one of ConvNeXtBase, .*Xception, .*resnet152; found"),
        ({"evaluation": {"criterion": "f1"}}, "evaluation.criterion: expected a metric .*; found 'f1'"),
        ({"evaluation": {"criterion": "one_error"}}, "evaluation.criterion: expected a metric of which more is better"),
        ({"grid": {"min_delta": "5e-5"}}, r"grid.min_delta: .*found '5e-5', which YAML reads as text: write 5.0e-5"),
        ({"grid": {"decay": "1e6"}}, r"found '1e6', which YAML reads as text: write 1.0e\+6"),
        (
            {"finetune": {"runs": ["zmuvs_avg_2x4096d5_lr11_b128_99_lr12_b8"]}},
            "lr11_b128_99_lr12_b8 freezes 99 layers, and VGG16 has 19; expected a number from 0 to 19, or all",
        ),
        ({"figures": {"fig5a": ["{a"]}}, "figures.fig5a: run pattern '{a': a brace without its partner"),
    ],
)
def test_a_wrong_entry_names_its_key_and_what_is_allowed(wrong, message):
    with pytest.raises(ConfigError, match=message):
        config.load(wrong)


def test_runs_are_repeated_with_the_seeds_that_follow():
    assert config.Config().repeated == config.Config().further_seeds == []
    chosen = config.load({"grid": {"seed": 5, "seeds": 3, "repeated": ["zmuvs_avg_1x{1024,2048}d5_lr11_b32"]}})
    assert chosen.further_seeds == [6, 7]
    assert [run.nodes for run in chosen.repeated] == [1024, 2048]
    every = config.load({"grid": {"seeds": 2}})
    assert every.repeated == every.top_models


def test_all_problems_are_listed_not_only_the_first():
    with pytest.raises(ConfigError, match="3 problem"):
        config.load({"grids": {}, "grid": {"patience": 0, "epochs": "many"}})


def test_paths_that_are_not_there_are_named_with_their_keys(tmp_path):
    source = {"images": str(tmp_path), "annotations": str(tmp_path / "missing.json")}
    chosen = config.load({"dataset": {"train": source, "test": source}, "base": {"weights": "random"}})
    with pytest.raises(ConfigError, match=r"dataset.train.annotations: no such path: .*missing.json"):
        config.existing_paths(chosen)


def test_images_that_are_a_file_are_named(tmp_path):
    (tmp_path / "a").touch()
    source = {"images": str(tmp_path / "a"), "annotations": str(tmp_path)}
    chosen = config.load({"dataset": {"train": source, "test": source}, "base": {"weights": "random"}})
    with pytest.raises(ConfigError, match=r"dataset.train.images: expected a folder of images, found a file") as error:
        config.existing_paths(chosen)
    assert "dataset.test.annotations: expected a file, found a folder" in str(error.value)


@pytest.mark.parametrize(
    ("dataset", "oriented"),
    [
        ({}, False),
        ({"subset": "2014"}, False),
        ({"name": "birds"}, True),
        ({"name": "birds", "exif_orientation": "ignore"}, False),
        ({"exif_orientation": "apply"}, True),
    ],
)
def test_own_images_are_turned_as_their_exif_says_and_published_ones_are_not(dataset, oriented):
    assert config.load({"dataset": dataset}).oriented is oriented


def test_a_narrow_network_has_no_official_weights():
    with pytest.raises(ConfigError, match=r"width 0\.5 has no official weights"):
        config.load({"base": {"width": 0.5}})
