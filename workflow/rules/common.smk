# The checked configuration, where files lie, and what rules say about themselves.

import os
import sys

from snakemake.exceptions import WorkflowError

# Jobs import the library from here, in whatever environment they run: nothing needs to be installed.
LIBRARY = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, LIBRARY)
os.environ.update(PYTHONPATH=LIBRARY)

from multilabel import config as configuration
from multilabel import provenance, runs
from multilabel.datasets import published

try:
    CONFIG = configuration.load(config)
    configuration.existing_paths(CONFIG, [path for unpacking in published.UNPACKINGS for path in unpacking.outputs])
except configuration.ConfigError as error:
    raise WorkflowError(str(error)) from None

DATASET = CONFIG.dataset_id
RESULTS = f"results/{DATASET}"
RANDOM_BASE = f"{DATASET}/random_base"
COVERAGE = f"{DATASET}/coverage"
SEEDS = {f"{DATASET}/seeds/{seed}": seed for seed in CONFIG.further_seeds}
TEST = CONFIG.test_split

TOP_MODELS = {run.name: run for run in CONFIG.top_models}
FINETUNED = {run.name: run for run in CONFIG.finetuned}
STARTS = {run.top_model.name: run.top_model for run in FINETUNED.values()}
# The folders with runs of stage 1: the dataset's own has all, the others what is compared with some of them.
STAGE_1 = {
    DATASET: CONFIG.top_models,
    RANDOM_BASE: list(STARTS.values()) if CONFIG.finetune.random_base else [],
    COVERAGE: list(STARTS.values()) if CONFIG.grid.coverage and CONFIG.labels.kind == "presence" else [],
    **dict.fromkeys(SEEDS, CONFIG.repeated),
}

VGG16_WEIGHTS = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
VGG16_WEIGHTS_WITH_TOP = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
OFFICIAL_WEIGHTS = f"resources/weights/{VGG16_WEIGHTS}"
DOWNLOADS = CONFIG.downloads.model_dump()
GPUS = int(CONFIG.gpu)
BASE = CONFIG.base.model_dump(exclude={"weights", "pretrain"})
READING = {"workers": CONFIG.features.workers, "damaged": CONFIG.dataset.damaged_images}
GRID_SETTINGS = CONFIG.grid.model_dump(exclude={"runs", "extra", "seeds", "repeated", "coverage", "runs_per_job"})
FINETUNE_SETTINGS = CONFIG.finetune.model_dump(exclude={"runs", "random_base"})


wildcard_constraints:
    # `root` is a folder of runs: the dataset's own, or one in it for what they are compared with; see STAGE_1.
    root=rf"{DATASET}(/random_base|/coverage|/seeds/\d+)?",
    split="train|val|test",
    file=f"{VGG16_WEIGHTS}|{VGG16_WEIGHTS_WITH_TOP}",
    run=r"[a-z0-9]+_[a-z0-9]+_[a-z0-9_]+",


def code(script):
    """Version of the code behind a script: jobs run again when code changes, not when comments do.

    Snakemake asks for it when a job is planned, so that the process of a job reads its own code only.
    """
    return lambda wildcards: provenance.code_version(os.path.join(LIBRARY, "scripts", script))


def log_of(name):
    """Log of a rule, outside of the results, which DVC versions."""
    return f"logs/{DATASET}/{name}.log"


def benchmark_of(name):
    """Benchmark of a rule: its wall time and memory."""
    return f"benchmarks/{DATASET}/{name}.tsv"


def memory(mb):
    """Memory that a job asks for, in MB: with each new attempt as much again, for what SLURM ended for want of it."""
    return lambda wildcards, attempt: mb * attempt


def table(name):
    """The four forms of a table."""
    return [f"{RESULTS}/tables/{name}.{suffix}" for suffix in ("csv", "md", "tex", "html")]


def figure(name):
    """The two forms of a figure."""
    return [f"{RESULTS}/figures/{name}.{suffix}" for suffix in ("pdf", "png")]


def reported(paths, title, category, caption):
    """Forms of a table or figure, of which the report has, under one title, one to look at and one to take along."""
    forms = {"html": "on screen", "csv": "to keep", "png": "on screen", "pdf": "to keep"}
    options = {"category": category, "caption": f"../report/{caption}.rst"}
    named = [(path, forms.get(path.rsplit(".")[-1])) for path in paths]
    return [report(path, labels={"result": title, "form": form}, **options) if form else path for path, form in named]


def images_of(split):
    """Folder of a split's images."""
    return source_images("test" if split == TEST and not CONFIG.dataset.test.fraction else "train")


def source_images(source):
    """Folder of the images of the files for `train` or `test`."""
    if CONFIG.dataset.kind == "shapes":
        return f"{RESULTS}/data/{'val' if source == 'test' else 'train'}"
    return getattr(CONFIG.dataset, source).images


def annotations_of(source):
    """Annotations of the files for `train` or `test`."""
    if CONFIG.dataset.kind == "shapes":
        return f"{RESULTS}/data/annotations/instances_{'val' if source == 'test' else 'train'}.json"
    return getattr(CONFIG.dataset, source).annotations


def weights_of(root):
    """The weights file of the base network; none for random weights."""
    kind = CONFIG.base.weights
    if root == RANDOM_BASE or kind == "random":
        return []
    return {"pretrain": f"{RESULTS}/base/pretrained.weights.h5", "official": OFFICIAL_WEIGHTS}.get(kind, kind)


def statistics_of(*preprocesses):
    """The channel statistics that `zmuvf` needs."""
    return f"{RESULTS}/labels/channel_statistics.json" if "zmuvf" in preprocesses else []


def outputs_of_stage_1(pattern):
    """A file of each run of stage 1 in all folders, from a pattern of `root` and `run`."""
    return [pattern.format(root=root, run=run.name) for root, found in STAGE_1.items() for run in found]


def metrics_of(root):
    """The metrics of those runs of a folder that fine-tuning starts from."""
    return [f"results/{root}/metrics/{run.name}.json" for run in STAGE_1[root] if run.name in STARTS]


def job_name(root, job):
    """The name of the rule that trains some runs in a folder."""
    return "_".join([*root.split(os.sep)[1:], f"top_models_{job}"])


def labels_of(root, split):
    """The labels that runs are trained on."""
    return f"results/{COVERAGE if root == COVERAGE else DATASET}/labels/{split}.h5"


def labels_kind(root):
    """What labels say: whether a class is there, or how much of the image it covers."""
    return "coverage" if root == COVERAGE else CONFIG.labels.kind


def settings_of(root):
    """The settings of stage 1."""
    return GRID_SETTINGS | {"seed": SEEDS.get(root, CONFIG.grid.seed)}


def feature_file(root, split, run):
    """The features of a split that a top model takes."""
    base = RANDOM_BASE if root == RANDOM_BASE else DATASET
    return f"results/{base}/features/{split}_{run.preprocess}_{run.pooling}.h5"


def feature_files(root, run_list):
    """The features of train and val that top models are trained on, each file once."""
    return list(dict.fromkeys(feature_file(root, split, run) for run in run_list for split in ("train", "val")))


def runs_of_panels(panels, settings=CONFIG):
    """The runs of each panel, by their names."""
    return {panel: [run.name for run in settings.panel(runs_)] for panel, runs_ in panels.items()}


def jobs_of(run_list):
    """The runs in jobs of at most `grid.runs_per_job`, dealt out so that jobs take alike long; same features together."""
    ordered = sorted(run_list, key=lambda run: (run.preprocess, run.pooling))
    count = -(-len(ordered) // CONFIG.grid.runs_per_job)
    return [ordered[job::count] for job in range(count)]


def record_of(root):
    """What runs of stage 1 record of the configuration that they come from: their own stage and those before it."""
    return {
        "dataset": CONFIG.dataset.model_dump(),
        "labels": CONFIG.labels.model_dump() | {"kind": labels_kind(root)},
        "base": CONFIG.base.model_dump() | ({"weights": "random"} if root == RANDOM_BASE else {}),
        "grid": settings_of(root),
        "threads": CONFIG.threads.model_dump(include={"features", "training"}),
    }


FINETUNE_RECORD = record_of(DATASET) | {"finetune": FINETUNE_SETTINGS, "threads": CONFIG.threads.model_dump()}
