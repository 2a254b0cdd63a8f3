# Paper 003: features of all blocks of the base network, and linear classifiers over random splits. The target is `miml`.


MIML = f"{RESULTS}/miml"
MIML_SPLITS = [
    range(start, min(start + CONFIG.miml.splits_per_job, CONFIG.miml.splits))
    for start in range(0, CONFIG.miml.splits, CONFIG.miml.splits_per_job)
]
# The base network's, with its classifier where a layer of that is wanted.
MIML_WEIGHTS = (
    f"resources/weights/{VGG16_WEIGHTS_WITH_TOP}"
    if CONFIG.base.weights == "official" and CONFIG.miml.bag != "average"
    else weights_of(DATASET)
)


rule miml_labels:
    input:
        annotations=annotations_of(CONFIG.miml.source),
        images=[] if CONFIG.dataset.kind in ("coco", "shapes") else source_images(CONFIG.miml.source),
    output:
        f"{MIML}/labels.h5",
    log:
        log_of("miml_labels"),
    benchmark:
        benchmark_of("miml_labels")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=20,
    params:
        kind=CONFIG.dataset.kind,
        crowds=CONFIG.dataset.crowds,
        code=code("miml_labels.py"),
    message:
        "Reading the labels of all images of {DATASET}"
    script:
        "../scripts/miml_labels.py"


rule miml_features:
    input:
        labels=f"{MIML}/labels.h5",
        images=source_images(CONFIG.miml.source),
        weights=MIML_WEIGHTS,
    output:
        features=f"{MIML}/features.h5",
        skipped=f"{MIML}/skipped.csv",
    log:
        log_of("miml_features"),
    benchmark:
        benchmark_of("miml_features")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=240,
    params:
        base=BASE,
        preprocess=CONFIG.miml.preprocess,
        blocks=CONFIG.miml.blocks,
        bag=CONFIG.miml.bag,
        batch_size=CONFIG.features.batch_size,
        reading=READING,
        threads=CONFIG.threads.features,
        code=code("miml_features.py"),
    message:
        "Features of all blocks of {CONFIG.base.network}"
    script:
        "../scripts/miml_features.py"


for job, numbers in enumerate(MIML_SPLITS):

    rule:
        name:
            f"miml_splits_{job}"
        input:
            features=f"{MIML}/features.h5",
            labels=f"{MIML}/labels.h5",
        output:
            scores=f"{MIML}/splits/scores_{job}.csv",
            chosen=f"{MIML}/splits/chosen_{job}.csv",
        log:
            log_of(f"miml_splits_{job}"),
        benchmark:
            benchmark_of(f"miml_splits_{job}")
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=memory(4000),
            runtime=240,
        params:
            numbers=list(numbers),
            settings=CONFIG.miml.model_dump(include={"share", "sizes", "c", "solver", "seed"}),
            code=code("miml_splits.py"),
        message:
            f"L1 and L2 logistic regression on splits {numbers[0]} to {numbers[-1]}"
        script:
            "../scripts/miml_splits.py"


rule miml_scores:
    input:
        scores=expand(f"{MIML}/splits/scores_{{job}}.csv", job=range(len(MIML_SPLITS))),
        chosen=expand(f"{MIML}/splits/chosen_{{job}}.csv", job=range(len(MIML_SPLITS))),
    output:
        scores=f"{MIML}/scores.csv",
        chosen=f"{MIML}/chosen.csv",
    log:
        log_of("miml_scores"),
    benchmark:
        benchmark_of("miml_scores")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        code=code("miml_scores.py"),
    message:
        "The metrics of all splits in one table"
    script:
        "../scripts/miml_scores.py"


rule miml_report:
    input:
        features=f"{MIML}/features.h5",
        scores=f"{MIML}/scores.csv",
        chosen=f"{MIML}/chosen.csv",
        beside=expand("results/{dataset}/miml/scores.csv", dataset=CONFIG.miml.beside),
    output:
        table1=reported(table("miml_table1"), "Table 1: five metrics", "MIML", "miml_table1"),
        fig3=reported(figure("miml_fig3"), "Fig. 3: metrics by training images", "MIML", "miml_fig3"),
        blocks=reported(table("miml_blocks"), "Chosen blocks: table", "MIML", "miml_blocks"),
        blocks_figure=reported(figure("miml_blocks"), "Chosen blocks: figure", "MIML", "miml_blocks"),
    log:
        log_of("miml_report"),
    benchmark:
        benchmark_of("miml_report")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        dataset=DATASET,
        beside=CONFIG.miml.beside,
        network="VGG" if CONFIG.base.network == "VGG16" else CONFIG.base.network,
        splits=CONFIG.miml.splits,
        code=code("miml_report.py"),
    message:
        "Table 1 and Fig. 3 of paper 003, and which blocks the chosen features come from"
    script:
        "../scripts/miml_report.py"


rule miml:
    input:
        rules.miml_report.output,
    message:
        "Paper 003 is complete: results are in {RESULTS}"
