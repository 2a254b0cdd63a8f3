# The base network's weights, and bottleneck features: one pass over the images of a split writes all designs.


rule pretrain:
    input:
        f"{RESULTS}/data/single_objects.h5",
    output:
        f"{RESULTS}/base/pretrained.weights.h5",
        f"{RESULTS}/base/classifier.weights.h5",
    log:
        log_of("pretrain"),
    benchmark:
        benchmark_of("pretrain")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.finetuning
    resources:
        gpu=GPUS,
        mem_mb=memory(4000),  # 1.5 GB measured in the demo
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
        images=ancient(images_of("train")),
        image_list=list_of("train"),
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
        mem_mb=memory(2000),
        runtime=240,
    params:
        size=CONFIG.base.input_size,
        reading=READING,
        code=code("channel_statistics.py"),
    message:
        "Mean and deviation of each colour over the training images"
    script:
        "../scripts/channel_statistics.py"


# With several shards, jobs fill one set of files together, and a last one checks and names them.
SHARDS = CONFIG.features.shards
SHARD = "" if SHARDS == 1 else f"_shard{{shard}}of{SHARDS}"

for folder, (designs, base) in CONFIG.feature_sets.items():
    root = os.path.join(DATASET, folder) if folder else DATASET
    named = "_".join([*folder.split(os.sep), ""]) if folder else ""
    prefix = f"results/{root}/features/{{split}}"
    finished = {
        "features": [f"{prefix}_{preprocess}_{pooling}.h5" for preprocess, pooling in designs],
        "skipped": f"{prefix}_skipped.csv",
    }

    rule:
        name:
            f"{named}features"
        input:
            labels=f"{RESULTS}/labels/{{split}}.h5",
            images=lambda wildcards: ancient(images_of(wildcards.split)),
            image_list=lambda wildcards: list_of(wildcards.split),
            weights=weights_of(base),
            statistics=statistics_of(*dict(designs)),
        output:
            **(finished if SHARDS == 1 else {"record": temp(f"{prefix}{SHARD}.json")}),
        log:
            f"logs/{root}/features_{{split}}{SHARD}.log",
        benchmark:
            f"benchmarks/{root}/features_{{split}}{SHARD}.tsv"
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.features
        resources:
            gpu=GPUS,
            # VGG16 with 224 pixels and batches of 32: 1.9 GB measured on a CPU; CUDA's libraries add some.
            mem_mb=memory(8000),
            # Two cores do 9 images a second: 4 h for COCO's 118,287. A GPU does it in minutes.
            runtime=720,
        params:
            designs=designs,
            prefix=prefix,
            base=base.model_dump(exclude={"weights", "pretrain"}),
            settings=CONFIG.features.model_dump(include={"batch_size", "mixed_precision", "xla"}),
            reading=READING,
            part=lambda wildcards: (int(wildcards.get("shard", 1)) - 1, SHARDS),
            threads=CONFIG.threads.features,
            code=code("features.py"),
        message:
            f"Bottleneck features of {{wildcards}}: {root}"
        script:
            "../scripts/features.py"

    if SHARDS > 1:

        rule:
            name:
                f"{named}gather_features"
            input:
                expand(f"{prefix}{SHARD}.json", shard=range(1, SHARDS + 1), allow_missing=True),
            output:
                **finished,
            log:
                f"logs/{root}/gather_features_{{split}}.log",
            benchmark:
                f"benchmarks/{root}/gather_features_{{split}}.tsv"
            conda:
                "../../envs/cpu.yaml"
            threads: 1
            resources:
                mem_mb=memory(1000),
                runtime=60,
            params:
                designs=designs,
                code=code("gather_features.py"),
            message:
                "Completing the bottleneck features of {wildcards.split}"
            script:
                "../scripts/gather_features.py"


rule whiten:
    input:
        expand("results/{{root}}/features/{split}_{{design}}.h5", split=CONFIG.splits),
    output:
        expand("results/{{root}}/features/{split}_{{design}}zca.h5", split=CONFIG.splits),
    log:
        "logs/{root}/whiten_{design}.log",
    benchmark:
        "benchmarks/{root}/whiten_{design}.tsv"
    wildcard_constraints:
        design="[a-z]+_(avg|max)",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        epsilon=CONFIG.features.zca_epsilon,
        code=code("whiten.py"),
    message:
        "Whitening the features {wildcards.design}"
    script:
        "../scripts/whiten.py"
