# The checked configuration, where files lie, and what rules say about themselves.

import os
import sys

from snakemake.exceptions import WorkflowError

# Jobs import the library from here, in whatever environment they run: nothing needs to be installed.
LIBRARY = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, LIBRARY)
os.environ.update(PYTHONPATH=LIBRARY)

from multilabel import config as configuration
from multilabel import provenance
from multilabel.datasets import published
from multilabel.experiments import EXPERIMENTS, MAIN

try:
    CONFIG = configuration.load(config)
    configuration.existing_paths(CONFIG, [path for unpacking in published.UNPACKINGS for path in unpacking.outputs])
except configuration.ConfigError as error:
    raise WorkflowError(str(error)) from None

DATASET = CONFIG.dataset_id
RESULTS = f"results/{DATASET}"
COVERAGE = f"{DATASET}/coverage"
TEST = CONFIG.test_split
EVALUATED = list(dict.fromkeys(["val", TEST]))

DOWNLOADS = CONFIG.downloads.model_dump()
GPUS = int(CONFIG.gpu)
BASE = CONFIG.base.model_dump(exclude={"weights", "pretrain"})
READING = {
    "workers": CONFIG.features.workers,
    "damaged": CONFIG.dataset.damaged_images,
    "orient": CONFIG.oriented,
}


wildcard_constraints:
    # A folder with runs or features: the dataset's own, or one in it, of an experiment or for what is compared.
    root=rf"{DATASET}(/\w+)*",
    split="train|val|test",
    file=r"[\w.-]+\.(h5|pth)",
    run=r"\w+",


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


def table(name, folder=RESULTS):
    """The four forms of a table."""
    return [f"{folder}/tables/{name}.{suffix}" for suffix in ("csv", "md", "tex", "html")]


def figure(name, folder=RESULTS):
    """The two forms of a figure."""
    return [f"{folder}/figures/{name}.{suffix}" for suffix in ("pdf", "png")]


def reporter(experiment):
    """How an experiment shows its results in the report: a function of their paths, a title, a kind and a caption.

    A result has one form to look at and one to take along. Captions lie in `workflow/report/{experiment}`.
    """

    def reported(paths, title, kind, caption):
        forms = {"html": "on screen", "csv": "to keep", "png": "on screen", "pdf": "to keep"}
        options = {
            "category": EXPERIMENTS[experiment],
            "subcategory": kind,
            "caption": os.path.join(LIBRARY, "report", experiment, f"{caption}.rst"),
        }
        form_of = {path: forms.get(path.rsplit(".")[-1]) for path in paths}
        labels = {path: {"result": title, "form": form} for path, form in form_of.items()}
        return [report(path, labels=labels[path], **options) if form_of[path] else path for path in paths]

    return reported


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


def weights_of(base, top=False):
    """The weights file of a base network, with its classifier or without; none for random weights."""
    if base.weights == "random":
        return []
    made = {
        "pretrain": f"{RESULTS}/base/{'classifier' if top else 'pretrained'}.weights.h5",
        "official": f"resources/weights/{official_name(base, top)}",
    }
    return made.get(base.weights, base.weights)


def official_name(base, top):
    """The name of published weights here: that of Keras for VGG16, and one that tells network and options for others.

    What Keras calls those, and where they are, is asked of it in the job: to import it takes seconds.
    """
    if base.network.lower() == "vgg16":
        return f"vgg16_weights_tf_dim_ordering_tf_kernels{'' if top else '_notop'}.h5"
    options = [f"{key}-{value}" for key, value in sorted(base.options.items())]
    return "_".join([base.network.lower(), *options, str(base.input_size), "top" if top else "notop"]) + ".h5"


def statistics_of(*preprocesses):
    """The channel statistics that `zmuvf` needs."""
    return f"{RESULTS}/labels/channel_statistics.json" if "zmuvf" in preprocesses else []


def labels_of(root, split):
    """The labels that runs in a folder are trained on."""
    return f"results/{COVERAGE if root == COVERAGE else DATASET}/labels/{split}.h5"


def labels_kind(root):
    """What labels say: whether a class is there, or how much of the image it covers."""
    return "coverage" if root == COVERAGE else CONFIG.labels.kind
