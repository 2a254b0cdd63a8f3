# The questions of section 2.1 of paper 000: how much better than a network trained on one label per image, and with how
# many images?


# Only a base network that comes with its classifier can be asked.
SINGLE_LABEL = {
    "official": f"resources/weights/{VGG16_WEIGHTS_WITH_TOP}",
    "pretrain": f"{RESULTS}/base/classifier.weights.h5",
}.get(CONFIG.base.weights, [])


rule single_label:
    input:
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=images_of(TEST),
        weights=SINGLE_LABEL,
    output:
        scores=f"{RESULTS}/predictions/single_label/{TEST}.h5",
        counterparts=f"{RESULTS}/predictions/single_label/counterparts.json",
    log:
        log_of("single_label"),
    benchmark:
        benchmark_of("single_label")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=60,
    params:
        base=BASE,
        pretrained=CONFIG.base.weights == "pretrain",
        reading=READING,
        threads=CONFIG.threads.features,
        code=code("single_label.py"),
    message:
        "Scores of the base network's own classifier"
    script:
        "../scripts/single_label.py"


rule single_label_table:
    input:
        counterparts=rules.single_label.output.counterparts,
        single_label=rules.single_label.output.scores,
        labels=f"{RESULTS}/labels/{TEST}.h5",
        top_models=expand(f"{RESULTS}/predictions/{{run}}/{TEST}.h5", run=STARTS),
        finetuned=expand(f"{RESULTS}/predictions/{{run}}/{TEST}.h5", run=FINETUNED),
    output:
        reported(table("single_label"), "A network of single labels beside ours", "Tables", "single_label"),
    log:
        log_of("single_label_table"),
    benchmark:
        benchmark_of("single_label_table")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        dataset=DATASET,
        test=TEST,
        k=CONFIG.evaluation.k,
        code=code("single_label_table.py"),
    message:
        "The base network's own classifier beside multi-label models"
    script:
        "../scripts/single_label_table.py"


rule learning_curve:
    input:
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=["train", "val", TEST]),
        features=[feature_file(DATASET, split, CONFIG.learning_curve_run) for split in ["train", "val", TEST]],
    output:
        f"{RESULTS}/learning_curve.csv",
    log:
        log_of("learning_curve"),
    benchmark:
        benchmark_of("learning_curve")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.training
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=720,
    params:
        run=CONFIG.learning_curve_run.name,
        sizes=CONFIG.learning_curve.sizes,
        settings=GRID_SETTINGS,
        k=CONFIG.evaluation.k,
        threads=CONFIG.threads.training,
        code=code("learning_curve.py"),
    message:
        "Training {params.run} on parts of the training images"
    script:
        "../scripts/learning_curve.py"


rule learning_curve_figure:
    input:
        rules.learning_curve.output,
    output:
        table=reported(table("learning_curve"), "Learning curve: table", "Tables", "learning_curve"),
        figure=reported(figure("learning_curve"), "Learning curve", "Figures", "learning_curve"),
    log:
        log_of("learning_curve_figure"),
    benchmark:
        benchmark_of("learning_curve_figure")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        dataset=DATASET,
        test=TEST,
        run=CONFIG.learning_curve_run.short_name,
        code=code("learning_curve_figure.py"),
    message:
        "Metrics against the number of training images"
    script:
        "../scripts/learning_curve_figure.py"
