# The base network's weights, and bottleneck features: one pass over the images of a split writes all designs.


rule pretrain:
    input:
        f"{RESULTS}/data/single_objects.h5",
    output:
        f"{RESULTS}/base/pretrained.weights.h5",
    log:
        log_of("pretrain"),
    benchmark:
        benchmark_of("pretrain")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.finetuning
    resources:
        gpu=GPUS,
        mem_mb=4000,
        runtime=30,
    params:
        **CONFIG.base.pretrain.model_dump(),
        base=BASE,
        threads=CONFIG.threads.finetuning,
        code=code("pretrain.py"),
    message:
        "Training the demo's base network on single objects"
    script:
        "../scripts/pretrain.py"


rule channel_statistics:
    input:
        labels=f"{RESULTS}/labels/train.h5",
        images=images_of("train"),
    output:
        f"{RESULTS}/labels/channel_statistics.json",
    log:
        log_of("channel_statistics"),
    benchmark:
        benchmark_of("channel_statistics")
    conda:
        "../../envs/cpu.yaml"
    threads: CONFIG.features.workers
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        size=CONFIG.base.input_size,
        reading=READING,
        code=code("channel_statistics.py"),
    message:
        "Mean and deviation of each colour over the training images"
    script:
        "../scripts/channel_statistics.py"


for root in [DATASET, RANDOM_BASE] if BASELINES else [DATASET]:
    designs = sorted({(run.preprocess, run.pooling) for run in top_models_on(root)})

    rule:
        name:
            "features" if root == DATASET else "random_base_features"
        input:
            labels=f"{RESULTS}/labels/{{split}}.h5",
            images=lambda wildcards: images_of(wildcards.split),
            weights=weights_of(root),
            statistics=statistics_of(*dict(designs)),
        output:
            [f"results/{root}/features/{{split}}_{preprocess}_{pooling}.h5" for preprocess, pooling in designs],
            skipped=f"results/{root}/features/{{split}}_skipped.csv",
        log:
            f"logs/{root}/features_{{split}}.log",
        benchmark:
            f"benchmarks/{root}/features_{{split}}.tsv"
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.features
        resources:
            gpu=GPUS,
            mem_mb=8000,
            runtime=720,
        params:
            designs=designs,
            base=BASE,
            batch_size=CONFIG.features.batch_size,
            reading=READING,
            threads=CONFIG.threads.features,
            code=code("features.py"),
        message:
            "Bottleneck features of {wildcards.split}"
        script:
            "../scripts/features.py"
