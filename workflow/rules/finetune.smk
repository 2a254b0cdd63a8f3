# Stage 2: base and top model trained on augmented images.


def top_model_of(wildcards):
    """The weights that a fine-tuned run starts from."""
    return f"{RESULTS}/top_models/{FINETUNED[wildcards.run].top_model.name}/best.weights.h5"


FINETUNE_SETTINGS = CONFIG.finetune.model_dump(exclude={"runs", "random_base"})
FINETUNE_RECORD = record_of(RESULTS) | {
    "finetune": FINETUNE_SETTINGS,
    "threads": CONFIG.threads.model_dump(),
}


rule finetune:
    message:
        "Fine-tuning {wildcards.run}"
    input:
        labels=[f"{RESULTS}/labels/train.h5", f"{RESULTS}/labels/val.h5"],
        images=[images_of("train"), images_of("val")],
        weights=weights_of(RESULTS),
        top_model=top_model_of,
        statistics=lambda wildcards: statistics_of(FINETUNED[wildcards.run].preprocess),
    output:
        log=f"{RESULTS}/finetuned/{{run}}/log.csv",
        weights=f"{RESULTS}/finetuned/{{run}}/best.weights.h5",
        record=f"{RESULTS}/finetuned/{{run}}/run.json",
    params:
        folder=f"{RESULTS}/finetuned/{{run}}",
        base=BASE,
        settings=FINETUNE_SETTINGS,
        reading=READING,
        configuration=FINETUNE_RECORD,
        threads=CONFIG.threads.finetuning,
        code=code("finetune.py"),
    log:
        f"logs/{DATASET}/finetune/{{run}}.log",
    benchmark:
        f"benchmarks/{DATASET}/finetune/{{run}}.tsv"
    threads: CONFIG.threads.finetuning
    resources:
        gpu=1,
        mem_mb=16000,
        runtime=2880,
    conda:
        "../../envs/gpu.yaml"
    script:
        "../scripts/finetune.py"
