# The runs of the designs, where they lie and what they are made from.


from multilabel.experiments.designs import names as design_names

DESIGNS = f"{RESULTS}/designs"
designs_reported = reporter("designs")
DESIGN_SETTINGS = CONFIG.designs.model_dump(include={"batch_size", "learning_rate", "augmentation", "seed"}) | {
    "sizes": CONFIG.designs.model_dump(include={"input_size", "filters", "hidden", "dropout"})
}
DESIGN_RECORD = {
    "dataset": DATASET_RECORD,
    "labels": CONFIG.labels.model_dump(),
    "validation": CONFIG.designs.validation,
    "threads": CONFIG.threads.model_dump(include={"training"}),
}
DESIGN_MODEL3 = design_names.runs_of(CONFIG.designs.variants)
DESIGN_RUNS = ["model1", "model2", *DESIGN_MODEL3]
DESIGN_JOBS = range(CONFIG.designs.networks_jobs)
DESIGN_MODEL3_JOBS = [
    DESIGN_MODEL3[start : start + CONFIG.designs.runs_per_job]
    for start in range(0, len(DESIGN_MODEL3), CONFIG.designs.runs_per_job)
]
DESIGN_FEATURE_RUNS = {
    output: [design_names.features_run_of(output, number) for number in range(CONFIG.designs.forum.seeds)]
    for output in design_names.OUTPUTS
}
# Thresholds never come from test images: without a validation split, a part of train is one.
DESIGN_LABELS = (
    {split: f"{RESULTS}/labels/{split}.h5" for split in ("train", "val", "test")}
    if CONFIG.dataset.validation.fraction
    else {split: f"{DESIGNS}/labels/{split}.h5" for split in ("train", "val")} | {"test": f"{RESULTS}/labels/{TEST}.h5"}
)
DESIGN_IMAGES = {"train": images_of("train"), "val": images_of("train"), "test": images_of(TEST)}
# The lists of images by which jobs know that one was replaced; where val is a part of train here, its images are train's.
DESIGN_LISTS = {
    "train": list_of("train"),
    "val": list_of("val" if CONFIG.dataset.validation.fraction else "train"),
    "test": list_of(TEST),
}


def design_images(*splits):
    """Folders of images of some splits, each once."""
    return [ancient(folder) for folder in dict.fromkeys(DESIGN_IMAGES[split] for split in splits)]


def design_lists(*splits):
    """The lists of their images, each once."""
    return list(dict.fromkeys(DESIGN_LISTS[split] for split in splits))


def design_networks(wildcards, suffix):
    """The files of all networks of Model 1 or 2."""
    jobs = [*DESIGN_JOBS] if wildcards.design == "model1" else ["first", *DESIGN_JOBS]
    return [f"{DESIGNS}/networks/{wildcards.design}_{job}.{suffix}" for job in jobs]


def design_weights(wildcards):
    """The files with all weights of Model 1, 2 or 3."""
    if wildcards.design == "model3":
        return [f"{DESIGNS}/runs/model3/best.weights.h5"]
    return design_networks(wildcards, "h5")
