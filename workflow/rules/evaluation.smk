# Scores of the runs on images that they were not trained on, their metrics, and the choice of the final model.


STAGE1 = r"\w+_\d+x\d+(d\d+|bn)_lr\d+_b\d+"
STAGE2 = rf"{STAGE1}_(\d+|all)_lr\d+_b\d+(_[hwrszf]+)?"
EVALUATED = list(dict.fromkeys(["val", TEST]))
STARTS = list(dict.fromkeys(run.top_model.name for run in FINETUNED.values()))
BASELINES = [run.name for run in baseline_runs()]


def features_of(wildcards):
    """The features that a top model is evaluated on."""
    run = runs.parse(wildcards.run)
    return f"{wildcards.root}/features/{wildcards.split}_{run.preprocess}_{run.pooling}.h5"


rule predict_top_model:
    message:
        "Scores of {wildcards.run} on {wildcards.split}"
    input:
        labels=f"{RESULTS}/labels/{{split}}.h5",
        features=features_of,
        weights="{root}/top_models/{run}/best.weights.h5",
    output:
        "{root}/predictions/{run}/{split}.h5",
    wildcard_constraints:
        run=STAGE1,
    params:
        threads=CONFIG.threads.training,
        code=code("predict_top_model.py"),
    log:
        "logs/{root}/predictions/{run}/{split}.log",
    benchmark:
        "benchmarks/{root}/predictions/{run}/{split}.tsv"
    threads: CONFIG.threads.training
    resources:
        mem_mb=8000,
        runtime=60,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/predict_top_model.py"


rule predict_finetuned:
    message:
        "Scores of {wildcards.run} on {wildcards.split}{wildcards.perturbed}"
    input:
        labels=f"{RESULTS}/labels/{{split}}.h5",
        images=lambda wildcards: images_of(wildcards.split),
        weights=f"{RESULTS}/finetuned/{{run}}/best.weights.h5",
        statistics=lambda wildcards: statistics_of(FINETUNED[wildcards.run].preprocess),
    output:
        f"{RESULTS}/predictions/{{run}}/{{split}}{{perturbed}}.h5",
    wildcard_constraints:
        run=STAGE2,
        perturbed="(_augmented)?",
    params:
        base=BASE,
        reading=READING,
        seed=lambda wildcards: CONFIG.evaluation.seed if wildcards.perturbed else None,
        threads=CONFIG.threads.features,
        code=code("predict_finetuned.py"),
    log:
        f"logs/{DATASET}/predictions/{{run}}/{{split}}{{perturbed}}.log",
    benchmark:
        f"benchmarks/{DATASET}/predictions/{{run}}/{{split}}{{perturbed}}.tsv"
    threads: CONFIG.threads.features
    resources:
        gpu=1,
        mem_mb=8000,
        runtime=120,
    conda:
        "../../envs/gpu.yaml"
    script:
        "../scripts/predict_finetuned.py"


rule metrics:
    message:
        "Metrics of {wildcards.run}"
    input:
        labels=f"{RESULTS}/labels/{TEST}.h5",
        scores=f"{{root}}/predictions/{{run}}/{TEST}.h5",
        validation_labels=f"{RESULTS}/labels/val.h5",
        validation_scores="{root}/predictions/{run}/val.h5",
    output:
        "{root}/metrics/{run}.json",
    params:
        k=CONFIG.evaluation.k,
        code=code("metrics.py"),
    log:
        "logs/{root}/metrics/{run}.log",
    benchmark:
        "benchmarks/{root}/metrics/{run}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/metrics.py"


rule final_model:
    message:
        "Choosing the final model by {params.criterion} on validation images"
    input:
        expand(f"{RESULTS}/metrics/{{run}}.json", run=FINETUNED),
    output:
        f"{RESULTS}/final_model.json",
    params:
        runs=list(FINETUNED),
        criterion=CONFIG.evaluation.criterion,
        code=code("final_model.py"),
    log:
        log_of("final_model"),
    benchmark:
        benchmark_of("final_model")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/final_model.py"
