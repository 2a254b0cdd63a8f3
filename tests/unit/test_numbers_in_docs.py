"""Numbers in README and docs are those that code, configuration, published tables and real data give.

A fact is a page, a sentence of it with {} for each number and [] for a list, and what stands there. How the page breaks
its lines does not matter.
"""

import csv
import itertools
import math
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from multilabel import config
from multilabel.config.data import READ
from multilabel.config.patterns import expand
from multilabel.datasets import published, shapes, voc
from multilabel.experiments.single_positive.metrics import scored
from multilabel.experiments.transfer import published as maddox
from multilabel.experiments.transfer import reference, reproduction, runs
from multilabel.images import augment, decode
from multilabel.networks.names import NETWORKS

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow/multilabel"
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
UNITS = (
    "[GMk]B|m?s|seconds?|min(?:utes)?|hours?|megapixels?|images|photographs|scenes|labels|pairs|classes|epochs|runs|"
    "weights|features|numbers|splits|methods|steps|units|layers"
)
PAPER = config.Config()  # the defaults: the papers at full size
Fact = tuple[str, str, Callable]


def written(path: str, pattern: str) -> str:
    """What a file of code has in the place of a group, where to import it would take long."""
    (found,) = re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    return found


def content(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def printed(experiment: str) -> dict:
    return content(f"workflow/multilabel/experiments/{experiment}/published.yaml")


def power(value: float) -> str:
    """1e-6 as 10⁻⁶, 5e-5 as 5·10⁻⁵."""
    digit, exponent = f"{value:.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digit == "1" else f"{digit}·10{raised}"


def short(value: float) -> str:
    """1e-05 as 1e-5."""
    return f"{value:.0e}".replace("e-0", "e-")


# README, Start, Your own data


def pythons():
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    first, above = re.fullmatch(r">=(3\.\d+),<3\.(\d+)", required).groups()
    return first, f"3.{int(above) - 1}"


def documents():
    """The library cites them by number, as paper 000."""
    texts = (path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*") if path.suffix in (".py", ".yaml"))
    return WORDS[len({number for text in texts for number in re.findall(r"[Pp]aper (00\d)", text)})].title()


def demo():
    sizes = config.load(content("config/demo.yaml")).dataset.shapes
    return f"{sizes.train + sizes.test:,}", len(shapes.CLASSES), f"{sizes.single_objects:,}", len(shapes.SHAPES)


def held_out_of_the_demo():
    return {0.1: "tenth", 0.2: "fifth"}[config.load(content("config/demo.yaml")).dataset.validation.fraction]


def name_of_a_run():
    top = runs.parse("coco_2017_zmuvs_avg_2x4096d5_lr11_b256")
    frozen = runs.parse("coco_2017_zmuvs_avg_2x4096d5_lr11_b256_15_lr11_b128_hwrszf").frozen
    return WORDS[top.layers], f"{top.nodes:,}", top.dropout, f"1·{power(top.learning_rate)}", top.batch_size, frozen


def quick():
    found = config.load(content("config/quick.yaml") | {"dataset": {"kind": "shapes"}})
    return WORDS[len(found.top_models)], WORDS[len(found.finetuned)]


def exit_status():
    help_of = r"0 all is done, {} some images could not be read, {} nothing could be done: no image could be read"
    return tuple(
        written("workflow/multilabel/cli.py", help_of.format(*each)) for each in ((r"(\d)", r"\d"), (r"\d", r"(\d)"))
    )


# The main experiment

SIDE, CHANNELS = PAPER.base.input_size // 32, 512  # VGG16's last map


def archives():
    names = {name for part in published.UNPACKINGS if part.folder.endswith("coco_2017") for name in part.archives}
    return f"{sum(published.SOURCES[name].size for name in names) / 1e9:.1f}"


def feature_files(whole: bool):
    """Gigabytes of train and val: whole maps in float16, or averages and maxima in float32."""
    designs = {(run.preprocess, run.pooling) for run in PAPER.top_models if (run.pooling == "77") == whole}
    bytes_of_image = 2 * SIDE**2 * CHANNELS if whole else 4 * CHANNELS
    taken = sum(maddox.load()["coco_2017"]["images"].values()) * len(designs) * bytes_of_image
    return WORDS[len({preprocess for preprocess, _ in designs})], f"{taken / 1e9:.1f}"


def weights_of_runs():
    filters = [3, 64, 64, 128, 128, *[256] * 3, *[512] * 6]
    vgg16 = sum(9 * before * after + after for before, after in itertools.pairwise(filters))

    def top_model(run: runs.TopModelRun) -> int:
        inputs = CHANNELS * (SIDE**2 if run.pooling == "77" else 1)
        sizes = [inputs, *[run.nodes] * run.layers, maddox.load()["coco_2017"]["classes"]]
        return sum(before * after + after for before, after in itertools.pairwise(sizes))

    stage1, stage2 = PAPER.top_models, PAPER.finetuned
    count = sum(map(top_model, stage1)) + sum(vgg16 + top_model(run.top_model) for run in stage2)
    return len(stage1), len(stage2), f"{4 * count / 1e9:.0f}"


def authors_log(design: str) -> pd.DataFrame:
    return reference.load()[f"coco_2017_zmuvs_avg_{design}_b128"]


def authors_runs():
    stage1 = [log for name, log in reference.load().items() if isinstance(runs.parse(name), runs.TopModelRun)]
    seconds = pd.concat(stage1)["seconds"]
    return f"{seconds.min():g}", f"{seconds.max():g}", min(map(len, stage1)), max(map(len, stage1))


def by_best_loss():
    logs = reference.load()

    def holds(claim) -> bool:
        panel = PAPER.panel(re.sub("(?<=6).", "", claim["panel"]))
        return all(reproduction._holds(claim, {run.name: logs[run.name] for run in panel if run.name in logs}).values())

    claims = [claim for claim in maddox.load()["reproduction"]["claims"] if claim["panel"][3] in "56"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(reproduction._MEASURES, "loss", lambda a, b: a["val_loss"].min() - b["val_loss"].min())
        failing = [claim for claim in claims if not holds(claim)]
    designs = "1x4096d5_lr11", "2x1024d5_lr11", "2x1024d5_lr52"
    one, two, slow = (f"{authors_log(design)['val_loss'].min():.5f}" for design in designs)
    return WORDS[len(failing)], one, two, slow, two


def grid():
    found = [runs.parse(f"coco_2017_{name}") for name in expand(PAPER.grid.runs)]
    keys = ("layers", "nodes", "learning_rate", "batch_size")
    return *(len({getattr(run, key) for run in found}) for key in keys), len(found), maddox.load()["table1"]["runs"]


def best_possible():
    (row,) = (row for row in maddox.load()["table2"]["final_model"] if row["method"] == "best possible")
    precision, recall = row["values"][3:5]
    return recall, precision, precision, recall


def rates():
    return tuple(runs.parse(f"coco_2017_zmuvs_avg_1x8d5_{rate}_b32").learning_rate for rate in ("lr52", "lr11"))


def optimiser():
    stage = PAPER.grid
    return stage.momentum, power(stage.decay), stage.epochs, stage.patience, power(stage.min_delta)


def counterparts():
    """How many of COCO's classes have one, of how many, and those without."""
    with (LIBRARY / "experiments/transfer/imagenet_to_coco.csv").open(encoding="utf-8") as file:
        matched = {row["class"] for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    classes = printed("query2label")["classes"]
    without = [name for name in classes if name not in matched]
    return len(classes) - len(without), len(classes), f"{', '.join(without[:-1])} and {without[-1]}"


# The other experiments


def layers_of_vgg16():
    """Four maxima for each channel of the five pooling layers, and fc2."""
    assert PAPER.miml.blocks == [f"block{number}_pool" for number in range(1, 6)]
    return f"{4 * (64 + 128 + 256 + 512 + 512) + 4096:,}"


def table_of_miml():
    table = printed("miml")["msrc"]
    (metrics,) = {len(row) for row in table.values()}
    return WORDS[metrics], WORDS[sum(not name.startswith("VGG+") for name in table)]


LABELS = len(voc.CLASSES)


def weights_of_designs(outputs: int) -> tuple[int, int, int]:
    """Of the tutorial's network: all, those of the convolutions, those of the hidden layer."""
    keys = PAPER.designs
    side, channels, convolutions = keys.input_size, 3, 0
    for filters in keys.filters:
        convolutions += (9 * channels + 1) * filters + (9 * filters + 1) * filters
        side, channels = (side - 2) // 2, filters
    hidden = (side * side * channels + 1) * keys.hidden
    return convolutions + hidden + (keys.hidden + 1) * outputs, convolutions, hidden


def sizes_of_designs():
    (one, shared, hidden), (together, _, _) = weights_of_designs(1), weights_of_designs(LABELS)
    counts = one, LABELS * one, LABELS * (one - shared) + shared, together
    of_one, *ours = (f"{4 * count / 1e6:,.0f}" for count in counts)
    beside = zip(ours, printed("designs")["section7"]["size"].values(), strict=True)
    return f"{one:,}", f"{100 * hidden / one:.1f}", of_one, *itertools.chain(*beside)


def heads():
    one, shared, _ = weights_of_designs(1)
    return f"{4 * LABELS * (one - shared) / 1e9:.1f}"


def layers_of_the_tutorial():
    """Six of each block; then flatten, the hidden layer and its activation; then dropout, output and sigmoid."""
    return WORDS[3], 6 * len(PAPER.designs.filters) + 3 + 3


def nothing_is_there():
    said = printed("designs")
    share = said["dataset"]["pairs"] / (said["dataset"]["images"] * LABELS)
    return f"{100 * (1 - share):.1f}", *said["section7"]["accuracy"]["model3"]


def printed_steps():
    why = printed("designs")["reproduction"]["known"]["accuracy"]
    return re.search(r"(\d+) and (\d+) of (\d+) images", why).groups()


def fixed_threshold():
    return written(
        "workflow/multilabel/evaluation/all_metrics.py", r'"fixed_threshold": decisions.threshold\(h, (.+)\)'
    )


def tanh_and_sigmoid():
    z = np.linspace(-3, 3, 7)
    (ratio,) = set(np.round((np.tanh(z) - 1) ** 2 / (1 / (1 + np.exp(-2 * z)) - 1) ** 2, 6))
    return WORDS[int(ratio)]


def asymmetric():
    keys = PAPER.query2label
    scale = float(written("workflow/multilabel/training/asymmetric.py", r"scale: float = (.+),"))
    return f"{keys.gamma_negative:g}", f"{keys.gamma_positive:g}", {0.0: "no"}[keys.clip], f"{scale:g}"


def cycle():
    low, high = written("workflow/multilabel/training/one_cycle.py", r"betas: .* = \((.+)\)").split(", ")
    return PAPER.query2label.decay, high, low, high


def speck():
    """The published length is −1; from either side half of it is taken, rounded down, and both ends are painted."""
    side = abs(2 * (-1 // 2)) + 1
    return side, side


def table_2_of_role():
    (row,) = (row for row in printed("single_positive")["table2"]["rows"] if row["mode"] == "end_to_end")
    searched = PAPER.single_positive.end_to_end
    return row["printed"], row["paper"], short(min(searched.learning_rates)), max(searched.batch_sizes)


def of_losses(name: str) -> float:
    return float(written("workflow/multilabel/experiments/single_positive/losses.py", rf"^{name} = (.+)$"))


def scored_images():
    small, large = PAPER.single_positive.end_to_end.batch_sizes
    return f"{scored(40137, small):,}", small, f"{scored(40137, large):,}", large


def exact_complement():
    """The relative error, in float32, of a negative's loss with sigmoid(−logit), as the power of ten above it."""
    logits = np.linspace(8, 20, 20_001, dtype=np.float32)
    found, exact = (
        -np.log(1 / (1 + np.exp(values)) + values.dtype.type(of_losses("EPSILON")))
        for values in (logits, logits.astype(np.float64))
    )
    return short(10 ** math.ceil(math.log10(np.max(np.abs(found / exact - 1)))))


def parity():
    path = "tests/parity/test_single_positive.py"
    return (
        written(path, r"^KINDS = \{np\.float64: (.+), np"),
        written(path, r"^KINDS = .*np\.float32: (.+)\}"),
        written(path, r"^def test_(\w+)_epochs_of_the_training_loop"),
        written(path, r"final_weight.*atol=(.+)\)"),
        written(path, r"final_estimator_logits.*atol=(.+)\)"),
        written(path, r"\"average_precision\".*atol=(.+)\)"),
    )


def checksummed():
    from snakemake.settings.types import DAGSettings

    return DAGSettings().max_checksum_file_size // 10**6


COMPUTED: list[Fact] = [
    ("README.md", "Both need Python {} to {} and make", pythons),
    ("README.md", "in it. {} documents describe systems that do", documents),
    ("docs/index.md", "On a machine with Python {} to {} and make:", pythons),
    (
        "docs/index.md",
        "draws {} scenes of {} kinds of shapes in COCO's format, and {} single shapes of {} kinds:",
        demo,
    ),
    ("docs/index.md", "a {} of the training scenes is held out", held_out_of_the_demo),
    (
        "docs/index.md",
        "{} hidden layers of {} units with dropout {}, a learning rate of {} and batches of {}. What follows, as in "
        "`…_15_lr11_b128_hwrszf`, is fine-tuning: {} frozen layers",
        name_of_a_run,
    ),
    ("docs/own-data.md", "a few runs for a CPU: {} top models, {} of them trained further", quick),
    (
        "docs/own-data.md",
        "({} MB of JSON, {} MB of CSV)",
        lambda: tuple(READ[kind] // 10**6 for kind in ("coco", "csv")),
    ),
    ("docs/own-data.md", "A JPEG of more than {} megapixels", lambda: math.ceil(decode.LARGEST / 1e6)),
    (
        "docs/own-data.md",
        "EfficientNet (B0 to B{})",
        lambda: max(name[len("EfficientNetB") :] for name in NETWORKS if name.startswith("EfficientNetB")),
    ),
    (
        "docs/cluster.md",
        "It holds GPU jobs to {} at a time",
        lambda: WORDS[content("profiles/default/config.yaml")["resources"]["gpu"]],
    ),
    ("docs/predict.md", "exit status is {}; it is {} where no image could be read", exit_status),
    ("docs/dvc.md", "{} stages, in the order of the data", lambda: WORDS[len(content("dvc.yaml")["stages"])].title()),
    ("docs/full-size.md", "| archives (may be removed once unpacked) | {} |", archives),
    (
        "docs/full-size.md",
        "| features: {}×{} maps in float16, {} normalisations | {} |",
        lambda: (SIDE, SIDE, *feature_files(True)),
    ),
    ("docs/full-size.md", "| features: averages and maxima, {} normalisations | {} |", lambda: feature_files(False)),
    ("docs/full-size.md", "| weights of {} top models and {} fine-tuned ones | {} |", weights_of_runs),
    ("docs/full-size.md", "{} to {} seconds for an epoch of a top model, and a run {} to {} epochs", authors_runs),
    (
        "docs/figures.md",
        "{} of COCO's {} classes have counterparts, by WordNet or, where WordNet puts them elsewhere, by hand. Those "
        "without are [].",
        counterparts,
    ),
    ("docs/miml.md", "With VGG16 that is {} numbers per image", layers_of_vgg16),
    (
        "docs/miml.md",
        "is trained on {} random splits of {} thirds",
        lambda: (PAPER.miml.splits, WORDS[round(3 * PAPER.miml.share)]),
    ),
    ("docs/miml.md", "{} metrics, mean and deviation, beside {} published methods |", table_of_miml),
    ("docs/designs.md", "a network for each of the {} labels (Model 1)", lambda: LABELS),
    ("docs/designs.md", "and one network with {} outputs (Model 3)", lambda: LABELS),
    (
        "docs/designs.md",
        "from images of one label to images of {}.",
        lambda: WORDS[int(written("workflow/multilabel/experiments/designs/figures.py", r"^MOST = (.+)$"))],
    ),
    ("docs/designs.md", "cut at {} it finds few labels", fixed_threshold),
    ("docs/designs.md", "so its loss is {} times that of outputs twice as large", tanh_and_sigmoid),
    (
        "docs/designs.md",
        "have {} weights for one label, {} % of them in the hidden layer: {} MB each. Twenty are {} MB, not {}; Model "
        "2, which shares the convolutions only, is {} MB, not {}; Model 3 is {} MB, not {}.",
        sizes_of_designs,
    ),
    ("docs/designs.md", "its code all layers but the last {} of {}, so", layers_of_the_tutorial),
    (
        "docs/designs.md",
        "is right for {} % of the pairs of image and class. The {}–{} % that it prints for Model 3",
        nothing_is_there,
    ),
    ("docs/designs.md", "its {} and {} steps of {} images say", printed_steps),
    ("docs/designs.md", "`shear_range={}` was radians", lambda: PAPER.designs.augmentation.shear),
    (
        "docs/designs.md",
        "its {}×{} images and {} labels that is many times as fast as the {} calls",
        lambda: (*[PAPER.designs.input_size] * 2, *[LABELS] * 2),
    ),
    ("docs/designs.md", "the heads, {} GB of weights", heads),
    (
        "docs/query2label.md",
        "test images, at most {}: in",
        lambda: f"{int(written('workflow/multilabel/experiments/query2label/gallery.py', r'^MOST = (.+)$')):,}",
    ),
    ("docs/query2label.md", "Labels are COCO's {};", lambda: counterparts()[1]),
    ("docs/query2label.md", "| asymmetric, γ₋ {}, γ₊ {}, {} clip, weight detached, × {} |", asymmetric),
    (
        "docs/query2label.md",
        "AdamW, decay {} on everything; one cycle of the learning rate over all epochs, β₁ {} → {} → {} against it",
        cycle,
    ),
    ("docs/query2label.md", "a speck of at most {} × {} pixels", speck),
    ("docs/query2label.md", "a square of {} the side", lambda: {0.5: "half"}[PAPER.query2label.cutout]),
    ("docs/query2label.md", "{} epochs without a new best of either", lambda: WORDS[PAPER.query2label.patience]),
    ("docs/single_positive.md", "over the last map; {} epochs", lambda: PAPER.single_positive.linear.epochs),
    ("docs/single_positive.md", "images are flipped; {} epochs", lambda: PAPER.single_positive.end_to_end.epochs),
    (
        "docs/single_positive.md",
        "that all others are absent; LS: by {} tenths",
        lambda: WORDS[round(10 * (1 - of_losses("SMOOTHING")))],
    ),
    ("docs/single_positive.md", "nl(x) = −ln(x + {}).", lambda: short(of_losses("EPSILON"))),
    (
        "docs/single_positive.md",
        "when more labels are observed: [] |",
        lambda: ", ".join(map(str, PAPER.single_positive.observed)),
    ),
    ("docs/single_positive.md", "of 40,137 test images {} (batch {}) or {} (batch {}) are scored", scored_images),
    ("docs/single_positive.md", "within {} of the exact value", exact_complement),
    ("docs/single_positive.md", "| Seed {} fixes labels and split", lambda: PAPER.single_positive.seed),
    (
        "docs/single_positive.md",
        "of ROLE, fine-tuned, {} and {}, what they are, but not which start the run had; its learning rate, {}, and "
        "batch, {}, are in the search",
        table_2_of_role,
    ),
    (
        "docs/single_positive.md",
        "losses and gradients within {} in float64 and {} in float32, observed labels and splits the same, {} epochs "
        "of AN, EPR and ROLE within {} of the weights and {} of the estimates, metrics within {}.",
        parity,
    ),
    ("docs/transfer.md", "(micro {} / {} in place of {} / {})", best_possible),
    ("docs/transfer.md", "**Size of the grid.** {} · {} · {} · {} is {} runs, not {}.", grid),
    ("docs/transfer.md", "`lr52` is {} and `lr11` is {}. ", rates),
    ("docs/transfer.md", '"Up to 10 %" is {} radians', lambda: augment.MADDOX.shear),
    (
        "docs/transfer.md",
        "Nesterov momentum {}, decay {} per step, at most {} epochs, early stopping after {} epochs without a fall of "
        "the validation loss by {}, best",
        optimiser,
    ),
    (
        "docs/transfer.md",
        "By best loss {} do not hold: 1x4096 ({}) is below 2x1024 ({}) in Fig. 5a, and in Fig. 5c 2x1024 is lower with "
        "learning rate 0.05 ({}) than with 0.1 ({}).",
        by_best_loss,
    ),
    ("docs/transfer.md", "within {} of their best loss", lambda: reproduction.FLAT),
    (
        "docs/transfer.md",
        "2x4096 with batch size 128 ran {} epochs at 0.1 and {} at 0.05.",
        lambda: tuple(len(authors_log(design)) for design in ("2x4096d5_lr11", "2x4096d5_lr52")),
    ),
    ("docs/reruns.md", "checksums below {} MB", checksummed),
]


# Counted in the real data, where they are


def with_three_labels(data: Path):
    labels = np.load(data / "coco2017/labels.npz")["val2017_labels"].sum(axis=1)
    three, labelled = np.count_nonzero(labels == 3), np.count_nonzero(labels)
    said = maddox.load()["coco_2017"]["with_three_labels"]["val"]
    return three, said, round(100 * three / labelled), three, f"{labelled:,}"


def without_exif(data: Path):
    return sum(not Image.open(path).getexif() for path in (data / "coco_sample").glob("*2017/*.jpg"))


def difficult(data: Path):
    trainval = data / "voc2007/ImageSets/Main/trainval.txt"
    pairs = voc.read_labels(trainval, None).labels.sum()
    return voc.read_labels(trainval, None, difficult="ignore").ignored.sum(), f"{pairs:,}"


def photographs(data: Path):
    return len(pd.read_csv(data / "msrc_v2/labels.csv"))


def published_error(data: Path):
    """The largest relative error of the published losses in float32."""
    stored = np.load(data / "parity/spml_losses.npz")
    exact = [key for key in stored.files if key.endswith("/value")]
    return short(max(abs(stored[f"{key}_float32"] / stored[key] - 1) for key in exact))


COUNTED: list[Fact] = [
    (
        "docs/transfer.md",
        '{} images of val2017 have exactly three labels, not {}; the text\'s "{} %" fits {} of {}.',
        with_three_labels,
    ),
    ("docs/own-data.md", "the {} COCO images looked at have no EXIF", without_exif),
    ("docs/designs.md", "these are {} of {} pairs.", difficult),
    ("docs/query2label.md", "On MSRC v2, {} photographs", photographs),
    ("docs/measured.md", "{} photographs, `config/quick.yaml`", photographs),
    ("docs/single_positive.md", "the published losses are off by up to {} of their value", published_error),
]


def text_of(page: str) -> str:
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


def pattern_of(sentence: str) -> str:
    return re.escape(sentence).replace(r"\{\}", r"([^\s|]+?)").replace(r"\[\]", "(.+?)")


def numbers_in(page: str, sentence: str) -> list[str]:
    """What stands in the places of a sentence, which the page has once."""
    found = list(re.finditer(pattern_of(sentence), text_of(page)))
    assert len(found) == 1, f"{page}: expected once, found {len(found)} times: {sentence}"
    return list(found[0].groups())


def as_text(values) -> list[str]:
    return list(map(str, values if isinstance(values, tuple) else (values,)))


@pytest.mark.parametrize(("page", "sentence", "computed"), COMPUTED)
def test_a_number_is_the_computed_one(page, sentence, computed):
    assert numbers_in(page, sentence) == as_text(computed())


@pytest.mark.parametrize(("page", "sentence", "counted"), COUNTED)
def test_a_number_is_the_one_of_the_real_data(page, sentence, counted, request):
    found = numbers_in(page, sentence)
    assert found == as_text(counted(request.getfixturevalue("shared_data")))


INTERVALS = r"(\d+) % (?:intervals?|each)\b"
NAMES = (  # in which digits are no numbers, and what the paper says
    *("```.*?```", "`[^`]*`", "<!--.*-->", r"\]\([^)]*\)", r"meadow/\d\.png,\S+", '"Up to 10 %"'),
    *(r"\b(?:19|20)\d\d\b", r"\b[Ss]ection \d\.\d", r"\b[Pp]aper 00\d", "X·10⁻ʸ"),
)


@pytest.mark.parametrize("page", PAGES)
def test_intervals_hold_the_share_that_is_said(page):
    level = written("workflow/multilabel/evaluation/bootstrap.py", r"^def interval\(.*level: float = (.+)\) ->")
    assert written("workflow/multilabel/experiments/single_positive/tables.py", r"^INTERVAL = (.+)$") == level
    assert set(re.findall(INTERVALS, text_of(page))) <= {f"{100 * float(level):g}"}


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/measured.md"])
def test_no_number_stands_by_itself(page):
    """What has two digits or a unit is in a sentence above. The measured tables are copies of results."""
    text = text_of(page)
    sentences = [pattern_of(sentence) for place, sentence, _ in COMPUTED + COUNTED if place == page]
    for known in (*sentences, INTERVALS, *NAMES):
        text = re.sub(known, " ", text)
    assert re.findall(rf"(?<!\w)\d(?:[\d.,]*\d\b|[\d.,]* ?(?:%|(?:{UNITS})\b)).{{,40}}", text) == []
