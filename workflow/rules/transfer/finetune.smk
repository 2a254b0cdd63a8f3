# Stage 2: base and top model trained on augmented images.


rule finetune:
    input:
        labels=[f"{RESULTS}/labels/train.h5", f"{RESULTS}/labels/val.h5"],
        images=[ancient(images_of("train")), ancient(images_of("val"))],
        image_lists=[list_of("train"), list_of("val")],
        weights=weights_of(CONFIG.base),
        top_model=lambda wildcards: (f"{RESULTS}/top_models/{FINETUNED[wildcards.run].top_model.name}/best.weights.h5"),
        statistics=lambda wildcards: statistics_of(FINETUNED[wildcards.run].preprocess),
    output:
        log=f"{RESULTS}/finetuned/{{run}}/log.csv",
        weights=f"{RESULTS}/finetuned/{{run}}/best.weights.h5",
        record=f"{RESULTS}/finetuned/{{run}}/run.json",
        timing=f"{RESULTS}/timing/finetuned/{{run}}.csv",
    log:
        f"logs/{DATASET}/finetune/{{run}}.log",
    benchmark:
        f"benchmarks/{DATASET}/finetune/{{run}}.tsv"
    priority: 1
    conda:
        "../../../envs/gpu.yaml"
    threads: CONFIG.threads.finetuning
    resources:
        gpu=GPUS,
        # VGG16 with 2x4096 and batches of 32: 2.2 GB measured on a CPU; the paper's batches are four times as large, and
        # `memory_gb` of decoded images are kept.
        mem_mb=memory(16000),
        # The author's final model took 28 epochs. What meets its time limit goes on where it was.
        runtime=2880,
    params:
        base=BASE,
        settings=FINETUNE_SETTINGS,
        reading=READING,
        configuration=FINETUNE_RECORD,
        threads=CONFIG.threads.finetuning,
        code=code("transfer/finetune.py"),
    message:
        "Fine-tuning {wildcards.run}"
    script:
        "../../scripts/transfer/finetune.py"
