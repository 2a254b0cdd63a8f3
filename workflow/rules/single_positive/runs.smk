# The studies of single positive labels, where they lie and what they are made from.


from multilabel.experiments.single_positive.methods import OFFERED_LOSSES

SINGLE = f"{RESULTS}/single_positive"
single_reported = reporter("single_positive")
SINGLE_KEYS = CONFIG.single_positive
SINGLE_STUDIES = {study.name: study for study in SINGLE_KEYS.studies}
SINGLE_MODES = dict.fromkeys(study.mode for study in SINGLE_KEYS.studies)
SINGLE_SEEN = {study.seen: study for study in [*SINGLE_KEYS.linear_studies, *SINGLE_KEYS.image_studies]}
SINGLE_LABELS = {split: f"{SINGLE}/labels/{split}.h5" for split in ("train", "validation", "test", "chosen_by")}
# Where images, and features, of each part of the experiment lie: those of validation are among those of train, unless
# the dataset has validation images of its own.
SINGLE_OWN = CONFIG.dataset.validation.fraction > 0
SINGLE_PLACES = {"train": "train", **({"val": "val"} if SINGLE_OWN else {}), "test": TEST}
# Those that the comparison asks for come first: it then trains few others beside them.
SINGLE_LINEAR = sorted(
    SINGLE_KEYS.linear_studies,
    key=lambda study: (study.observed, study.loss in OFFERED_LOSSES) != (SINGLE_KEYS.main, True),
)
SINGLE_JOBS = [
    SINGLE_LINEAR[start : start + SINGLE_KEYS.studies_per_job]
    for start in range(0, len(SINGLE_LINEAR), SINGLE_KEYS.studies_per_job)
]
SINGLE_RECORD = {
    "dataset": DATASET_RECORD,
    "base": CONFIG.base.model_dump(),
    "single_positive": CONFIG.single_positive_record,
}


def single_features(split):
    """The features of a split, which the shared pass over its images writes."""
    return os.path.join(
        RESULTS, CONFIG.single_positive_features, "features", f"{split}_{SINGLE_KEYS.preprocess}_avg.h5"
    )


def single_seen(studies):
    """What studies are given of the training images."""
    return [f"{SINGLE}/seen/{study.seen}.h5" for study in studies]


def single_watched(studies):
    """The linear studies whose classifiers are kept after each epoch: for Fig. 1 and the recovery of hidden labels."""
    return [
        study
        for study in studies
        if study.mode == "linear" and study.observed == SINGLE_KEYS.main and study.supervision == "positives"
    ]


def single_predictions(studies, split):
    """The scores of the chosen settings of studies, with each seed."""
    return [f"{SINGLE}/predictions/{run}/{split}.h5" for study in studies for run in SINGLE_KEYS.chosen_names(study)]


def single_searched(study):
    """What the runs of a study's search are called."""
    return [run.name for run in SINGLE_KEYS.searched(study)]


def single_outputs(studies):
    """What the training of studies leaves; see `single_positive.training`."""
    runs = [run for study in studies for run in single_searched(study)]
    chosen = [run for study in studies for run in SINGLE_KEYS.chosen_names(study)]
    further = [run for study in studies for run in SINGLE_KEYS.chosen_names(study)[1:]]
    estimated = [study for study in studies if study.loss == "role"]
    estimates = [run for study in estimated for run in single_searched(study)]
    estimates += [run for study in estimated for run in SINGLE_KEYS.chosen_names(study)[1:]]
    return {
        "runs": expand(
            f"{SINGLE}/runs/{{run}}/{{file}}", run=runs + further, file=("log.csv", "best.weights.h5", "run.json")
        ),
        "timing": expand(f"{SINGLE}/timing/{{run}}.csv", run=runs + chosen),
        "chosen": expand(f"{SINGLE}/chosen/{{run}}/run.json", run=chosen),
        "searches": [f"{SINGLE}/searches/{study.name}.json" for study in studies],
        "predictions": [path for split in ("val", "test") for path in single_predictions(studies, split)],
        "estimates_of_runs": [f"{SINGLE}/runs/{run}/estimates.h5" for run in estimates],
        "estimates": [f"{SINGLE}/estimates/{study.name}.h5" for study in estimated],
        "epochs": [f"{SINGLE}/epochs/{study.name}.h5" for study in single_watched(studies)],
    }
