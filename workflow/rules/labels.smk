# Label matrices.


rule labels:
    input:
        train=annotations_of("train"),
        test=[] if CONFIG.dataset.test.fraction else annotations_of("test"),
        # Of PASCAL VOC, where the lists are there already: those of the classes, beside that of the set.
        lists=lists_of("train", "test"),
        # Tables of labels are checked against the images; COCO's files say enough by themselves.
        images=(
            []
            if CONFIG.dataset.kind in ("coco", "shapes")
            else [ancient(images_of(split)) for split in dict.fromkeys(["train", TEST])]
        ),
    output:
        expand("results/{root}/labels/{split}.h5", split=CONFIG.splits, allow_missing=True),
    log:
        "logs/{root}/labels.log",
    benchmark:
        "benchmarks/{root}/labels.tsv"
    wildcard_constraints:
        root=rf"{DATASET}(/coverage)?",
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
            **LABEL_READING,
            "coverage": labels_kind(wildcards.root) == "coverage",
        },
        test=(CONFIG.dataset.test.fraction, CONFIG.dataset.test.seed),
        validation=(CONFIG.dataset.validation.fraction, CONFIG.dataset.validation.seed),
        # Where images are looked at for copies, if they are there already.
        folders=(
            [] if CONFIG.dataset.kind == "shapes" else [images_of(split) for split in dict.fromkeys(["train", TEST])]
        ),
        code=code("labels.py"),
    message:
        "Reading the labels of {wildcards.root}"
    script:
        "../scripts/labels.py"


rule image_list:
    input:
        labels=f"{RESULTS}/labels/{{split}}.h5",
        images=lambda wildcards: ancient(images_of(wildcards.split)),
    output:
        f"{RESULTS}/labels/{{split}}_images.csv",
    log:
        log_of("image_list_{split}"),
    benchmark:
        benchmark_of("image_list_{split}")
    conda:
        "../../envs/cpu.yaml"
    threads: CONFIG.features.workers
    resources:
        mem_mb=memory(1000),
        # Once all images are read: COCO's 19 GB take as long as the disk needs.
        runtime=120,
    params:
        changes=lambda wildcards: changes_of(list_of(wildcards.split), images_of(wildcards.split)),
        memory=lambda wildcards, output: memory_of(output[0]),
        code=code("image_list.py"),
    message:
        "Checksums of the images of {wildcards.split}"
    script:
        "../scripts/image_list.py"
