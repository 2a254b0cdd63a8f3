# Paper 003: features of all blocks of the base network, and linear classifiers over random splits. The target is `miml`.


MIML = f"{RESULTS}/miml"
miml_reported = reporter("miml")
MIML_SPLITS = [
    range(start, min(start + CONFIG.miml.splits_per_job, CONFIG.miml.splits))
    for start in range(0, CONFIG.miml.splits, CONFIG.miml.splits_per_job)
]
# The base network's, with its classifier where a layer of that is wanted.
MIML_WEIGHTS = (
    weights_of(CONFIG.base, top=True)
    if CONFIG.base.weights == "official" and CONFIG.miml.bag != "average"
    else weights_of(CONFIG.base)
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
        code=code("miml/labels.py"),
    message:
        "Reading the labels of all images of {DATASET}"
    script:
        "../scripts/miml/labels.py"


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
        code=code("miml/features.py"),
    message:
        "Features of all blocks of {CONFIG.base.network}"
    script:
        "../scripts/miml/features.py"


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
            code=code("miml/splits.py"),
        message:
            f"L1 and L2 logistic regression on splits {numbers[0]} to {numbers[-1]}"
        script:
            "../scripts/miml/splits.py"


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
        code=code("miml/scores.py"),
    message:
        "The metrics of all splits in one table"
    script:
        "../scripts/miml/scores.py"


rule miml_report:
    input:
        features=f"{MIML}/features.h5",
        scores=f"{MIML}/scores.csv",
        chosen=f"{MIML}/chosen.csv",
        beside=expand("results/{dataset}/miml/scores.csv", dataset=CONFIG.miml.beside),
    output:
        table1=miml_reported(table("table1", MIML), "Table 1: five metrics", "Tables", "table1"),
        fig3=miml_reported(figure("fig3", MIML), "Fig. 3: metrics by training images", "Figures", "fig3"),
        blocks=miml_reported(table("blocks", MIML), "Chosen blocks: table", "Tables", "blocks"),
        blocks_figure=miml_reported(figure("blocks", MIML), "Chosen blocks: figure", "Figures", "blocks"),
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
        code=code("miml/report.py"),
    message:
        "Table 1 and Fig. 3 of paper 003, and which blocks the chosen features come from"
    script:
        "../scripts/miml/report.py"


rule miml:
    input:
        rules.miml_report.output,
    message:
        "Paper 003 is complete: results are in {MIML}"
