# The base network's weights, and bottleneck features: one pass over the images of a split writes all designs.


def designs_of(root):
    """The (preprocess, pooling) pairs that the runs need from a base network."""
    wanted = baseline_runs() if root == RANDOM_BASE else TOP_MODELS.values()
    return sorted({(run.preprocess, run.pooling) for run in wanted})


def baseline_runs():
    """The top models that are also trained on features of the base with random weights."""
    starts = [run.top_model for run in FINETUNED.values()] if CONFIG.finetune.random_base else []
    return list(dict.fromkeys(starts))


def feature_files(root, run):
    """The features of train and val that a top model is trained on."""
    return [f"{root}/features/{split}_{run.preprocess}_{run.pooling}.h5" for split in ("train", "val")]


def weights_of(root):
    """The weights file of the base network; none for random weights."""
    kind = CONFIG.base.weights
    if root == RANDOM_BASE or kind == "random":
        return []
    return {"pretrain": f"{RESULTS}/base/pretrained.weights.h5", "official": OFFICIAL_WEIGHTS}.get(kind, kind)


def statistics_of(preprocess):
    """The channel statistics that `zmuvf` needs."""
    return f"{RESULTS}/labels/channel_statistics.json" if preprocess == "zmuvf" else []


BASE = {
    "network": CONFIG.base.network,
    "options": CONFIG.base.options,
    "width": CONFIG.base.width,
    "input_size": CONFIG.base.input_size,
    "seed": CONFIG.base.seed,
}
READING = {"workers": CONFIG.features.workers, "damaged": CONFIG.dataset.damaged_images}


rule pretrain:
    message:
        "Training the demo's base network on single objects"
    input:
        f"{RESULTS}/data/single_objects.h5",
    output:
        f"{RESULTS}/base/pretrained.weights.h5",
    params:
        base=BASE,
        threads=CONFIG.threads.finetuning,
        code=code("pretrain.py"),
        **CONFIG.base.pretrain.model_dump(),
    log:
        log_of("pretrain"),
    benchmark:
        benchmark_of("pretrain")
    threads: CONFIG.threads.finetuning
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=30,
    conda:
        "../../envs/gpu.yaml"
    script:
        "../scripts/pretrain.py"


rule channel_statistics:
    message:
        "Mean and deviation of each colour over the training images"
    input:
        labels=f"{RESULTS}/labels/train.h5",
        images=images_of("train"),
    output:
        f"{RESULTS}/labels/channel_statistics.json",
    params:
        size=CONFIG.base.input_size,
        reading=READING,
        code=code("channel_statistics.py"),
    log:
        log_of("channel_statistics"),
    benchmark:
        benchmark_of("channel_statistics")
    threads: CONFIG.features.workers
    resources:
        mem_mb=2000,
        runtime=240,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/channel_statistics.py"


for root in [RESULTS, RANDOM_BASE] if CONFIG.finetune.random_base else [RESULTS]:

    rule:
        name:
            "features" if root == RESULTS else "random_base_features"
        message:
            "Bottleneck features of {wildcards.split}"
        input:
            labels=f"{RESULTS}/labels/{{split}}.h5",
            images=lambda wildcards: images_of(wildcards.split),
            weights=weights_of(root),
            statistics=[path for design in designs_of(root) for path in [statistics_of(design[0])] if path][:1],
        output:
            [f"{root}/features/{{split}}_{preprocess}_{pooling}.h5" for preprocess, pooling in designs_of(root)],
            skipped=f"{root}/features/{{split}}_skipped.csv",
        params:
            designs=designs_of(root),
            base=BASE,
            batch_size=CONFIG.features.batch_size,
            reading=READING,
            threads=CONFIG.threads.features,
            code=code("features.py"),
        log:
            f"logs/{root.removeprefix('results/')}/features_{{split}}.log",
        benchmark:
            f"benchmarks/{root.removeprefix('results/')}/features_{{split}}.tsv"
        threads: CONFIG.threads.features
        resources:
            gpu=1,
            mem_mb=8000,
            runtime=720,
        conda:
            "../../envs/gpu.yaml"
        script:
            "../scripts/features.py"
