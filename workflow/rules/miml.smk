# Paper 003: features of all blocks of the base network, and linear classifiers over random splits. The target is `miml`.


MIML = f"{RESULTS}/miml"
miml_reported = reporter("miml")
MIML_SPLITS = [
    range(start, min(start + CONFIG.miml.splits_per_job, CONFIG.miml.splits))
    for start in range(0, CONFIG.miml.splits, CONFIG.miml.splits_per_job)
]
# Without validation images, those that judge would choose thresholds, too.
MIML_OWN_SPLITS = CONFIG.splits if CONFIG.dataset.validation.fraction else []
MIML_IMAGES = {
    "": {
        "labels": f"{MIML}/labels.h5",
        "images": ancient(source_images(CONFIG.miml.source)),
        "image_list": f"{MIML}/images.csv",
    }
} | {
    split: {
        "labels": f"{RESULTS}/labels/{split}.h5",
        "images": ancient(images_of(split)),
        "image_list": list_of(split),
    }
    for split in MIML_OWN_SPLITS
}
# The base network's, with its classifier where a layer of that is wanted.
MIML_WEIGHTS = (
    weights_of(CONFIG.base, top=True)
    if CONFIG.base.weights == "official" and CONFIG.miml.bag != "average"
    else weights_of(CONFIG.base)
)


rule miml_labels:
    input:
        annotations=annotations_of(CONFIG.miml.source),
        images=[] if CONFIG.dataset.kind in ("coco", "shapes") else ancient(source_images(CONFIG.miml.source)),
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
        reading=LABEL_READING,
        code=code("miml/labels.py"),
    message:
        "Reading the labels of all images of {DATASET}"
    script:
        "../scripts/miml/labels.py"


rule miml_image_list:
    input:
        labels=f"{MIML}/labels.h5",
        images=ancient(source_images(CONFIG.miml.source)),
    output:
        f"{MIML}/images.csv",
    log:
        log_of("miml_image_list"),
    benchmark:
        benchmark_of("miml_image_list")
    conda:
        "../../envs/cpu.yaml"
    threads: CONFIG.features.workers
    resources:
        mem_mb=memory(1000),
        runtime=60,
    params:
        changes=lambda wildcards: changes_of(f"{MIML}/images.csv", source_images(CONFIG.miml.source)),
        memory=lambda wildcards, output: memory_of(output[0]),
        code=code("image_list.py"),
    message:
        "Checksums of all images of {DATASET}"
    script:
        "../scripts/image_list.py"


# Of all images, from which random splits are drawn; and of the dataset's own splits.
for part, listed in MIML_IMAGES.items():
    named = f"miml_features_{part}".rstrip("_")

    rule:
        name:
            named
        input:
            **listed,
            weights=MIML_WEIGHTS,
        output:
            features=f"{MIML}/features/{part}.h5" if part else f"{MIML}/features.h5",
            skipped=f"{MIML}/features/{part}_skipped.csv" if part else f"{MIML}/skipped.csv",
        log:
            log_of(named),
        benchmark:
            benchmark_of(named)
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
            limited=part == "train",
            code=code("miml/features.py"),
        message:
            f"Features of all blocks of {CONFIG.base.network}: {part or 'all images'}"
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
            decisions=f"{MIML}/splits/decisions_{job}.h5",
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
        labels=f"{MIML}/labels.h5",
        decisions=expand(f"{MIML}/splits/decisions_{{job}}.h5", job=range(len(MIML_SPLITS))),
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
        reproduction=miml_reported(table("reproduction", MIML), "Paper 003 against ours", "Tables", "reproduction"),
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
        departures=CONFIG.miml_departures,
        code=code("miml/report.py"),
    message:
        "Table 1 and Fig. 3 of paper 003, and which blocks the chosen features come from"
    script:
        "../scripts/miml/report.py"


# On demand: snakemake results/…/miml/model.h5
rule miml_model:
    input:
        features=f"{MIML}/features.h5",
        labels=f"{MIML}/labels.h5",
        weights=MIML_WEIGHTS,
    output:
        f"{MIML}/model.h5",
    log:
        log_of("miml_model"),
    benchmark:
        benchmark_of("miml_model")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        run=f"{DATASET}_l1",
        base=BASE,
        settings=CONFIG.miml.model_dump(include={"c", "solver"}),
        network=CONFIG.miml.model_dump(include={"blocks", "bag", "preprocess"}),
        code=code("miml/model.py"),
    message:
        "L1 logistic regression on all images as one file, for multilabel predict"
    script:
        "../scripts/miml/model.py"


if MIML_OWN_SPLITS:

    include: "miml/own_splits.smk"


rule miml:
    input:
        rules.miml_report.output,
    message:
        "Paper 003 is complete: results are in {MIML}"
