# Label matrices.


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
            "crowds": CONFIG.dataset.crowds,
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
