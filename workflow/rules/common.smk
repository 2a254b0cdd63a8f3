# The checked configuration, where files lie, and what rules say about themselves.

import os
import sys

from snakemake.exceptions import WorkflowError

# Jobs import the library from here, in whatever environment they run: nothing needs to be installed.
LIBRARY = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, LIBRARY)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIBRARY, os.environ.get("PYTHONPATH")]))

from multilabel import config as configuration
from multilabel import provenance, runs

try:
    CONFIG = configuration.load(config)
    configuration.existing_paths(CONFIG)
except configuration.ConfigError as error:
    raise WorkflowError(str(error)) from None

DATASET = CONFIG.dataset_id
RESULTS = f"results/{DATASET}"
RANDOM_BASE = f"{RESULTS}/random_base"
TEST = CONFIG.test_split

TOP_MODELS = {run.name: run for run in CONFIG.top_models}
FINETUNED = {run.name: run for run in CONFIG.finetuned}


wildcard_constraints:
    # `root` is the folder of everything that depends on the base network's weights: trained or, as a baseline, random.
    root=f"{RESULTS}(/random_base)?",
    split="train|val|test",
    run=r"[a-z0-9]+_[a-z0-9]+_[a-z0-9_]+",


def code(script):
    """Version of the code behind a script: jobs run again when code changes, not when comments do."""
    return provenance.code_version(os.path.join(LIBRARY, "scripts", script))


def log_of(name):
    """Log of a rule, outside of the results, which DVC versions."""
    return f"logs/{DATASET}/{name}.log"


def benchmark_of(name):
    """Benchmark of a rule: its wall time and memory."""
    return f"benchmarks/{DATASET}/{name}.tsv"


def table(name):
    """The three forms of a table."""
    return [f"{RESULTS}/tables/{name}.{suffix}" for suffix in ("csv", "md", "tex")]


def figure(name):
    """The two forms of a figure."""
    return [f"{RESULTS}/figures/{name}.{suffix}" for suffix in ("pdf", "png")]
