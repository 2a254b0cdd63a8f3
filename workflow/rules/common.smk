# The checked configuration, where files lie, and what rules say about themselves.

import os
import sys
from glob import glob

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import RerunTrigger

# Jobs import the library from here, in whatever environment they run: nothing needs to be installed.
LIBRARY = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, LIBRARY)
# Where they remember the checksums of files, see `multilabel.checksums`.
os.environ.update(PYTHONPATH=LIBRARY, MULTILABEL_CHECKSUMS=os.path.abspath(".snakemake/checksums.json"))

import console
from multilabel import config as configuration
from multilabel import provenance
from multilabel.config import data
from multilabel.datasets import image_list, published
from multilabel.experiments import EXPERIMENTS, MAIN
from multilabel.networks.names import TORCHVISION

try:
    for path in [*workflow.configfiles, *workflow.overwrite_configfiles]:
        configuration.refuse_repeated_keys(path)
    CONFIG = configuration.load(config)
    configuration.existing_paths(CONFIG, [path for unpacking in published.UNPACKINGS for path in unpacking.outputs])
    if workflow.is_main_process:  # the processes of jobs need not ask again
        data.check(CONFIG)
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
# How labels are read; what concerns one kind of dataset is no parameter of others.
LABEL_READING = {"crowds": CONFIG.dataset.crowds} | (
    {"difficult": CONFIG.dataset.difficult} if CONFIG.dataset.kind == "voc" else {}
)
# How images are read, as far as it changes results; the rest scripts find in the configuration (`decode.reading`).
READING = {"orient": CONFIG.oriented}
# What runs record of the dataset: not what is done about damaged images, of which finished runs had none or told.
DATASET_RECORD = CONFIG.dataset.model_dump(exclude={"damaged_images"})


class Workflow(type(workflow)):
    """A workflow without Snakemake's trigger `code`, which also sees comments and touched files: `code` below does not.

    profiles/default says the same. This holds where it is not read, and in the Snakemake API.
    """

    @property
    def rerun_triggers(self):
        return set(super().rerun_triggers) - {RerunTrigger.CODE}


workflow.__class__ = Workflow

console.settle(workflow)


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


def list_of(split):
    """The list of a split's images, by which jobs know that one was replaced; they take the folder as `ancient`."""
    return f"{RESULTS}/labels/{split}_images.csv"


def changes_of(path, folder):
    """A parameter of the job that makes a list of images: another one once images of the list have changed.

    Parameters are functions of the wildcards alone: Snakemake does not compare those that it derives from the output.
    """
    return image_list.changes(path, folder, memory=memory_of(path), workers=CONFIG.features.workers)


def memory_of(path):
    """Where a list of images keeps what its images looked like, beside Snakemake's own records."""
    return os.path.join(".snakemake", "images", f"{path}.json")


def annotations_of(source):
    """Annotations of the files for `train` or `test`."""
    if CONFIG.dataset.kind == "shapes":
        return f"{RESULTS}/data/annotations/instances_{'val' if source == 'test' else 'train'}.json"
    return getattr(CONFIG.dataset, source).annotations


def lists_of(*sources):
    """The lists of the classes beside the image sets of PASCAL VOC for `train` and `test`, where they are there."""
    if CONFIG.dataset.kind != "voc":
        return []
    sets = [annotations_of(source) for source in sources if source == "train" or not CONFIG.dataset.test.fraction]
    return [found for path in sets for found in sorted(glob(f"{os.path.dirname(path)}/*_{os.path.basename(path)}"))]


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
    """The name of published weights here: the publisher's for VGG16 and torchvision's, else one of network and options.

    What Keras calls those, and where they are, is asked of it in the job: to import it takes seconds.
    """
    if base.network.startswith(TORCHVISION):
        return published.weights_of_torchvision(base.network.removeprefix(TORCHVISION))
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
