# The runs of both stages, where they lie and what they are made from.

from multilabel.experiments.transfer import runs

RANDOM_BASE = f"{DATASET}/random_base"
SEEDS = {f"{DATASET}/seeds/{seed}": seed for seed in CONFIG.further_seeds}

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
GRID_SETTINGS = CONFIG.grid.model_dump(exclude={"runs", "extra", "seeds", "repeated", "coverage", "runs_per_job"})
FINETUNE_SETTINGS = CONFIG.finetune.model_dump(exclude={"runs", "random_base"})

reported = reporter("transfer")


def outputs_of_stage_1(pattern):
    """A file of each run of stage 1 in all folders, from a pattern of `root` and `run`."""
    return [pattern.format(root=root, run=run.name) for root, found in STAGE_1.items() for run in found]


def metrics_of(root):
    """The metrics of those runs of a folder that fine-tuning starts from."""
    return [f"results/{root}/metrics/{run.name}.json" for run in STAGE_1[root] if run.name in STARTS]


def settings_of(root):
    """The settings of stage 1."""
    return GRID_SETTINGS | {"seed": SEEDS.get(root, CONFIG.grid.seed)}


def feature_file(root, split, run):
    """The features of a split that a top model takes."""
    base = RANDOM_BASE if root == RANDOM_BASE else DATASET
    return f"results/{base}/features/{run.feature_file(split)}"


def is_independent(name):
    """Whether a run is one-vs-rest logistic regression, which belongs to neither stage."""
    return name.startswith("independent_")


def preprocess_of(name):
    """The normalisation of a run's images."""
    return name.split("_")[1] if is_independent(name) else runs.parse(name).preprocess


def whitened_from(name):
    """The training features from which those of a run of stage 1 are whitened; none where they are not."""
    run = None if is_independent(name) else runs.parse(name)
    if run is None or isinstance(run, runs.FinetuneRun) or run.pooling == run.extracted:
        return []
    return f"{RESULTS}/features/train_{run.preprocess}_{run.extracted}.h5"


def folder_of_run(name):
    """Where a run lies."""
    kind = "independent" if is_independent(name) else "finetuned" if name in FINETUNED else "top_models"
    return f"{RESULTS}/{kind}/{name}"


def weights_of_run(name):
    """The weights that it has trained."""
    return f"{folder_of_run(name)}/{'' if is_independent(name) else 'best.'}weights.h5"


def feature_files(root, run_list):
    """The features of train and val that top models are trained on, each file once."""
    return list(dict.fromkeys(feature_file(root, split, run) for run in run_list for split in ("train", "val")))


def runs_of_panels(panels, settings=CONFIG):
    """The runs of each panel, by their names."""
    return {panel: [run.name for run in settings.panel(runs_)] for panel, runs_ in panels.items()}


def jobs_of(root):
    """The runs of a folder in jobs of at most `grid.runs_per_job`.

    Those of the grid and of the figures are dealt out so that jobs take alike long. Each entry of `grid.extra` has jobs
    of its own: runs that are added there get new jobs, and those that are finished stay as they are.
    """
    entries = [[run for run in entry if run in STAGE_1[root]] for entry in CONFIG.batches]
    jobs = []
    for entry in filter(None, entries):
        count = -(-len(entry) // CONFIG.grid.runs_per_job)
        ordered = sorted(entry, key=lambda run: (run.preprocess, run.pooling))
        jobs += [(entry, ordered[job::count]) for job in range(count)]
    return jobs


def job_name(root, batch):
    """What a job that trains some runs in a folder is called, by the first of them and how many more there are."""
    more = f"_and_{len(batch) - 1}_more" if batch[1:] else ""
    return "_".join([*root.split(os.sep)[1:], "top_models", f"{batch[0].short_name}{more}"])


def record_of(root):
    """What runs of stage 1 record of the configuration that they come from: their own stage and those before it."""
    return {
        "dataset": DATASET_RECORD,
        "labels": CONFIG.labels.model_dump() | {"kind": labels_kind(root)},
        "base": CONFIG.base.model_dump() | ({"weights": "random"} if root == RANDOM_BASE else {}),
        "grid": settings_of(root),
        "threads": CONFIG.threads.model_dump(include={"features", "training"}),
    }


FINETUNE_RECORD = record_of(DATASET) | {"finetune": FINETUNE_SETTINGS, "threads": CONFIG.threads.model_dump()}
