# Label matrices and what the dataset looks like.


rule labels:
    input:
        train=annotations_of("train"),
        test=[] if CONFIG.dataset.test.fraction else annotations_of("test"),
        # Tables of labels are checked against the images; COCO's files say enough by themselves.
        images=(
            []
            if CONFIG.dataset.kind in ("coco", "shapes")
            else [images_of(split) for split in dict.fromkeys(["train", TEST])]
        ),
    output:
        expand("results/{root}/labels/{split}.h5", split=CONFIG.splits, allow_missing=True),
    log:
        "logs/{root}/labels.log",
    benchmark:
        "benchmarks/{root}/labels.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        # Measured on a file of the size of COCO's for train: 0.7 GB and, with coverage, 3.1 GB.
        mem_mb=lambda wildcards, attempt: memory(5000 if labels_kind(wildcards.root) == "coverage" else 2000)(
            wildcards, attempt
        ),
        runtime=60,
    params:
        kind=CONFIG.dataset.kind,
        reading=lambda wildcards: {
            "crowds": CONFIG.dataset.crowds,
            "coverage": labels_kind(wildcards.root) == "coverage",
        },
        test=(CONFIG.dataset.test.fraction, CONFIG.dataset.test.seed),
        validation=(CONFIG.dataset.validation.fraction, CONFIG.dataset.validation.seed),
        code=code("labels.py"),
    message:
        "Reading the labels of {wildcards.root}"
    script:
        "../scripts/labels.py"


rule dataset_statistics:
    input:
        expand(f"{RESULTS}/labels/{{split}}.h5", split=CONFIG.splits),
    output:
        table=reported(table("dataset_statistics"), "Images and labels", "Dataset", "dataset_statistics"),
        fig2=reported(figure("fig2"), "Fig. 2: images with each label", "Dataset", "fig2"),
        fig3=reported(figure("fig3"), "Fig. 3: labels per image", "Dataset", "fig3"),
    log:
        log_of("dataset_statistics"),
    benchmark:
        benchmark_of("dataset_statistics")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        splits=CONFIG.splits,
        dataset=DATASET,
        code=code("dataset_statistics.py"),
    message:
        "Counting labels: the dataset's table and Figs. 2 and 3"
    script:
        "../scripts/dataset_statistics.py"
