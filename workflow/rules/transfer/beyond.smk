# What paper 000 asks and leaves open: how sure the numbers are, which labels are predicted together, how much better this is
# than a network trained on one label per image, and with how many images.


# One-vs-rest logistic regression, without shared hidden layers, on the features of the first fine-tuned run.
PLAIN = next((run for run in STARTS.values() if run.pooling != "77"), None)
INDEPENDENT = [f"independent_{PLAIN.preprocess}_{PLAIN.pooling}"] if PLAIN else []

# The runs that have predictions in any case, and those that are compared besides.
EVALUATED_RUNS = [*FINETUNED, *STARTS, *INDEPENDENT]
COMPARED = list(dict.fromkeys([*EVALUATED_RUNS, *(run.name for pair in CONFIG.comparisons for run in pair)]))

# Only a base network that comes with its classifier can be asked, and the paper asks VGG16.
SINGLE_LABEL = (
    weights_of(CONFIG.base, top=True)
    if CONFIG.base.weights in ("official", "pretrain") and CONFIG.base.network.lower() == "vgg16"
    else []
)


rule single_label:
    input:
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=ancient(images_of(TEST)),
        image_list=list_of(TEST),
        weights=SINGLE_LABEL,
    output:
        scores=f"{RESULTS}/predictions/single_label/{TEST}.h5",
        counterparts=f"{RESULTS}/predictions/single_label/counterparts.json",
    log:
        log_of("single_label"),
    benchmark:
        benchmark_of("single_label")
    conda:
        "../../../envs/gpu.yaml"
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
        code=code("transfer/single_label.py"),
    message:
        "Scores of the base network's own classifier"
    script:
        "../../scripts/transfer/single_label.py"


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
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        dataset=DATASET,
        test=TEST,
        k=CONFIG.evaluation.k,
        code=code("transfer/single_label_table.py"),
    message:
        "The base network's own classifier beside multi-label models"
    script:
        "../../scripts/transfer/single_label_table.py"


rule learning_curve:
    input:
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=["train", "val", TEST]),
        features=[feature_file(DATASET, split, CONFIG.learning_curve_run) for split in ["train", "val", TEST]],
    output:
        f"{RESULTS}/learning_curve.h5",
    log:
        log_of("learning_curve"),
    benchmark:
        benchmark_of("learning_curve")
    priority: 1
    conda:
        "../../../envs/gpu.yaml"
    threads: CONFIG.threads.training
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=720,
    params:
        run=CONFIG.learning_curve_run.name,
        sizes=CONFIG.learning_curve.sizes,
        settings=GRID_SETTINGS,
        threads=CONFIG.threads.training,
        code=code("transfer/learning_curve.py"),
    message:
        "Training {params.run} on parts of the training images"
    script:
        "../../scripts/transfer/learning_curve.py"


rule learning_curve_figure:
    input:
        scores=rules.learning_curve.output[0],
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
    output:
        table=reported(table("learning_curve"), "Learning curve: table", "Tables", "learning_curve"),
        figure=reported(figure("learning_curve"), "Learning curve", "Figures", "learning_curve"),
    log:
        log_of("learning_curve_figure"),
    benchmark:
        benchmark_of("learning_curve_figure")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        dataset=DATASET,
        test=TEST,
        run=CONFIG.learning_curve_run.short_name,
        k=CONFIG.evaluation.k,
        code=code("transfer/learning_curve_figure.py"),
    message:
        "Metrics against the number of training images"
    script:
        "../../scripts/transfer/learning_curve_figure.py"


rule independent:
    input:
        labels=f"{RESULTS}/labels/train.h5",
        validation=f"{RESULTS}/labels/val.h5",
        features=[feature_file(DATASET, split, PLAIN) for split in CONFIG.splits] if PLAIN else [],
    output:
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", run=INDEPENDENT or "independent", split=EVALUATED),
        run=expand(
            f"{RESULTS}/independent/{{run}}/{{file}}",
            run=INDEPENDENT or "independent",
            file=["run.json", "weights.h5", "smaller.h5"],
        ),
        timing=expand(f"{RESULTS}/timing/independent/{{run}}.csv", run=INDEPENDENT or "independent"),
    log:
        log_of("independent"),
    benchmark:
        benchmark_of("independent")
    conda:
        "../../../envs/cpu.yaml"
    threads: CONFIG.threads.training
    resources:
        mem_mb=memory(4000),
        runtime=720,
    params:
        run=(INDEPENDENT or [None])[0],
        splits=CONFIG.splits,
        sizes=CONFIG.learning_curve.sizes,
        seed=CONFIG.grid.seed,
        record={key: value for key, value in record_of(DATASET).items() if key in ("dataset", "labels", "base")},
        code=code("transfer/independent.py"),
    message:
        "One-vs-rest logistic regression on {input.features[0]}"
    script:
        "../../scripts/transfer/independent.py"


rule cooccurrence:
    input:
        final=f"{RESULTS}/final_model.json",
        labels=f"{RESULTS}/labels/train.h5",
        evaluated=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", run=EVALUATED_RUNS, split=EVALUATED),
    output:
        table=reported(table("cooccurrence"), "Labels that occur together", "Tables", "cooccurrence"),
        figure=reported(figure("cooccurrence"), "Labels that occur together", "Figures", "cooccurrence"),
    log:
        log_of("cooccurrence"),
    benchmark:
        benchmark_of("cooccurrence")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        dataset=DATASET,
        test=TEST,
        beside=EVALUATED_RUNS,
        k=CONFIG.evaluation.k,
        support=20,
        code=code("transfer/cooccurrence.py"),
    message:
        "How well predicted labels occur together as true ones do"
    script:
        "../../scripts/transfer/cooccurrence.py"


rule intervals:
    input:
        final=f"{RESULTS}/final_model.json",
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", run=COMPARED, split=EVALUATED),
    output:
        intervals=reported(table("intervals"), "Intervals of all metrics", "Tables", "intervals"),
        comparisons=reported(table("comparisons"), "Runs compared on the same images", "Tables", "comparisons"),
    log:
        log_of("intervals"),
    benchmark:
        benchmark_of("intervals")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        dataset=DATASET,
        test=TEST,
        runs=COMPARED,
        evaluated=EVALUATED_RUNS,
        pairs=[[first.name, second.name] for first, second in CONFIG.comparisons],
        k=CONFIG.evaluation.k,
        resamples=CONFIG.evaluation.resamples,
        seed=CONFIG.evaluation.seed,
        code=code("transfer/intervals.py"),
    message:
        "Bootstrap: intervals of the final model's metrics, and of its differences from other runs"
    script:
        "../../scripts/transfer/intervals.py"


rule gallery:
    input:
        final=f"{RESULTS}/final_model.json",
        model=MODEL,
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=ancient(images_of(TEST)),
        image_list=list_of(TEST),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{TEST}.h5", run=FINETUNED),
    output:
        f"{RESULTS}/gallery.html",
    log:
        log_of("gallery"),
    benchmark:
        benchmark_of("gallery")
    conda:
        "../../../envs/cpu.yaml"
    threads: CONFIG.threads.features
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        dataset=DATASET,
        test=TEST,
        code=code("transfer/gallery.py"),
    message:
        "A page of all test images with their true and predicted labels"
    script:
        "../../scripts/transfer/gallery.py"
