# Scores of the runs on images that they were not trained on, and the choice of the final model.


STAGE1 = r"\w+_\d+x\d+(d\d+|bn)_lr\d+_b\d+"
STAGE2 = rf"{STAGE1}_(\d+|all)_lr\d+_b\d+(_[hwrszf]+)?"
MODEL = f"{RESULTS}/model/{DATASET}.h5"


rule predict_top_model:
    input:
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        features=lambda wildcards: [
            feature_file(wildcards.root, split, runs.parse(wildcards.run)) for split in EVALUATED
        ],
        weights="results/{root}/top_models/{run}/best.weights.h5",
    output:
        expand("results/{root}/predictions/{run}/{split}.h5", split=EVALUATED, allow_missing=True),
    log:
        "logs/{root}/predictions/{run}.log",
    benchmark:
        "benchmarks/{root}/predictions/{run}.tsv"
    wildcard_constraints:
        run=STAGE1,
    conda:
        "../../../envs/cpu.yaml"
    threads: CONFIG.threads.training
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        threads=CONFIG.threads.training,
        code=code("transfer/predict_top_model.py"),
    message:
        "Scores of {wildcards.run}"
    script:
        "../../scripts/transfer/predict_top_model.py"


rule predict_finetuned:
    input:
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        images=[ancient(images_of(split)) for split in EVALUATED],
        image_lists=[list_of(split) for split in EVALUATED],
        weights=f"{RESULTS}/finetuned/{{run}}/best.weights.h5",
        statistics=lambda wildcards: statistics_of(FINETUNED[wildcards.run].preprocess),
    output:
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", split=EVALUATED, allow_missing=True),
        perturbed=f"{RESULTS}/predictions/{{run}}/{TEST}_augmented.h5",
    log:
        f"logs/{DATASET}/predictions/{{run}}.log",
    benchmark:
        f"benchmarks/{DATASET}/predictions/{{run}}.tsv"
    wildcard_constraints:
        run=STAGE2,
    conda:
        "../../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),  # as `features`
        runtime=120,
    params:
        base=BASE,
        reading=READING,
        seed=CONFIG.evaluation.seed,
        threads=CONFIG.threads.features,
        code=code("transfer/predict_finetuned.py"),
    message:
        "Scores of {wildcards.run}"
    script:
        "../../scripts/transfer/predict_finetuned.py"


rule final_model:
    input:
        expand(f"{RESULTS}/metrics/{{run}}.json", run=FINETUNED),
    output:
        f"{RESULTS}/final_model.json",
    log:
        log_of("final_model"),
    benchmark:
        benchmark_of("final_model")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        runs=list(FINETUNED),
        criterion=CONFIG.evaluation.criterion,
        code=code("transfer/final_model.py"),
    message:
        "Choosing the final model by {params.criterion} on validation images"
    script:
        "../../scripts/transfer/final_model.py"


rule model:
    input:
        final=f"{RESULTS}/final_model.json",
        weights=expand(f"{RESULTS}/finetuned/{{run}}/best.weights.h5", run=FINETUNED),
        records=expand(f"{RESULTS}/finetuned/{{run}}/run.json", run=FINETUNED),
        labels=f"{RESULTS}/labels/val.h5",
        scores=expand(f"{RESULTS}/predictions/{{run}}/val.h5", run=FINETUNED),
        statistics=statistics_of(*(run.preprocess for run in FINETUNED.values())),
    output:
        MODEL,
    log:
        log_of("model"),
    benchmark:
        benchmark_of("model")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        base=BASE,
        code=code("transfer/model.py"),
    message:
        "The final model as one file, for multilabel predict"
    script:
        "../../scripts/transfer/model.py"


# The same of any run, on demand: snakemake results/…/model/{run}.h5
rule model_of_run:
    input:
        weights=lambda wildcards: weights_of_run(wildcards.run),
        record=lambda wildcards: f"{folder_of_run(wildcards.run)}/run.json",
        labels=f"{RESULTS}/labels/val.h5",
        scores=f"{RESULTS}/predictions/{{run}}/val.h5",
        base=lambda wildcards: [] if wildcards.run in FINETUNED else weights_of(CONFIG.base),
        train=lambda wildcards: whitened_from(wildcards.run),
        statistics=lambda wildcards: statistics_of(preprocess_of(wildcards.run)),
    output:
        f"{RESULTS}/model/{{run}}.h5",
    log:
        f"logs/{DATASET}/model/{{run}}.log",
    benchmark:
        f"benchmarks/{DATASET}/model/{{run}}.tsv"
    wildcard_constraints:
        run=rf"{STAGE1}|{STAGE2}|independent_[a-z]+_[a-z]+",
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        base=BASE,
        epsilon=CONFIG.features.zca_epsilon,
        code=code("transfer/model.py"),
    message:
        "{wildcards.run} as one file, for multilabel predict"
    script:
        "../../scripts/transfer/model.py"
