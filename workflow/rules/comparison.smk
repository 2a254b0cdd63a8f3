# Every method of all experiments on one dataset, by one protocol. The target is `comparison`.


include: "comparison/runs.smk"


rule comparison_frequencies:
    input:
        train=f"{RESULTS}/labels/train.h5",
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
    output:
        scores=expand(f"{COMPARISON}/predictions/{FREQUENCIES}/{{split}}.h5", split=EVALUATED),
        record=f"{COMPARISON}/runs/{FREQUENCIES}/run.json",
    log:
        log_of("comparison_frequencies"),
    benchmark:
        benchmark_of("comparison_frequencies")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        splits=EVALUATED,
        code=code("comparison/frequencies.py"),
    message:
        "Label frequencies as scores"
    script:
        "../scripts/comparison/frequencies.py"


rule comparison_frequencies_model:
    input:
        record=f"{COMPARISON}/runs/{FREQUENCIES}/run.json",
        labels=f"{RESULTS}/labels/val.h5",
        scores=f"{COMPARISON}/predictions/{FREQUENCIES}/val.h5",
    output:
        f"{COMPARISON}/models/{FREQUENCIES}.h5",
    log:
        log_of("comparison_frequencies_model"),
    benchmark:
        benchmark_of("comparison_frequencies_model")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        code=code("comparison/frequencies_model.py"),
    message:
        "Label frequencies as a model file"
    script:
        "../scripts/comparison/frequencies_model.py"


rule comparison_quality:
    input:
        labels=[f"{RESULTS}/labels/{split}.h5" for split in ("train", "val", TEST)],
        scores=of_results(run.scores(split) for run in COMPARED_RUNS for split in EVALUATED),
        smaller=of_results(scores.path for method in METHODS.values() for scores in method.smaller.values()),
    output:
        quality=comparison_reported(table("quality", COMPARISON), "How good each method is", "Tables", "quality"),
        differences=comparison_reported(
            table("differences", COMPARISON), "Whether methods differ", "Tables", "differences"
        ),
        classes=comparison_reported(table("classes", COMPARISON), "Each class: table", "Tables", "classes"),
        sizes=comparison_reported(table("sizes", COMPARISON), "By training images: table", "Tables", "sizes"),
        classes_figure=comparison_reported(
            figure("classes", COMPARISON), "Each class with each method", "Figures", "classes"
        ),
        sizes_figure=comparison_reported(figure("sizes", COMPARISON), "By training images", "Figures", "sizes"),
        numbers=f"{COMPARISON}/quality.csv",
        metrics=f"{COMPARISON}/metrics.json",
        chosen=f"{COMPARISON}/chosen.json",
    log:
        log_of("comparison_quality"),
    benchmark:
        benchmark_of("comparison_quality")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=120,
    params:
        dataset=DATASET,
        methods=METHODS,
        left_out=CONFIG.left_out_methods,
        evaluation=CONFIG.evaluation.model_dump(include={"k", "criterion", "resamples", "seed"}),
        code=code("comparison/quality.py"),
    message:
        f"Judging {len(METHODS)} methods on the same images"
    script:
        "../scripts/comparison/quality.py"


rule comparison_inference:
    input:
        chosen=f"{COMPARISON}/chosen.json",
        models=of_results(path for method in METHODS.values() for path in method.models),
    output:
        f"{COMPARISON}/timing/inference.csv",
    log:
        log_of("comparison_inference"),
    benchmark:
        benchmark_of("comparison_inference")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=60,
    params:
        batch_size=CONFIG.features.batch_size,
        threads=CONFIG.threads.features,
        code=code("comparison/inference.py"),
    message:
        "What an image costs with each method"
    script:
        "../scripts/comparison/inference.py"


rule comparison_costs:
    input:
        numbers=f"{COMPARISON}/quality.csv",
        chosen=f"{COMPARISON}/chosen.json",
        inference=f"{COMPARISON}/timing/inference.csv",
        labels=f"{RESULTS}/labels/train.h5",
        records=of_results(run.record for run in FIRST_RUNS),
        timings=of_results(path for run in FIRST_RUNS for path in run.timing),
    output:
        table=comparison_reported(table("cost", f"{COMPARISON}/timing"), "What each method costs", "Tables", "cost"),
        figure=comparison_reported(figure("cost", f"{COMPARISON}/timing"), "Quality against cost", "Figures", "cost"),
    log:
        log_of("comparison_costs"),
    benchmark:
        benchmark_of("comparison_costs")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        dataset=DATASET,
        methods=METHODS,
        threads=CONFIG.threads.features,
        code=code("comparison/costs.py"),
    message:
        "Quality against cost"
    script:
        "../scripts/comparison/costs.py"


rule comparison_gallery:
    input:
        chosen=f"{COMPARISON}/chosen.json",
        labels=[f"{RESULTS}/labels/{split}.h5" for split in ("val", TEST)],
        scores=of_results(
            candidate[0].scores(split)
            for method in IN_GALLERY.values()
            for candidate in method.candidates
            for split in EVALUATED
        ),
        images=ancient(images_of(TEST)),
        image_list=list_of(TEST),
    output:
        f"{COMPARISON}/gallery.html",
    log:
        log_of("comparison_gallery"),
    benchmark:
        benchmark_of("comparison_gallery")
    conda:
        "../../envs/cpu.yaml"
    threads: CONFIG.threads.features
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        dataset=DATASET,
        methods=IN_GALLERY,
        size=CONFIG.comparison.gallery_size,
        seed=CONFIG.comparison.seed,
        code=code("comparison/gallery.py"),
    message:
        "A page on which any two methods are compared image by image"
    script:
        "../scripts/comparison/gallery.py"


rule comparison_results:
    input:
        rules.comparison_quality.output,
        rules.comparison_gallery.output,
        of_results(path for method in METHODS.values() for path in method.models),
    message:
        "All of the comparison is complete, but for what shows measured times"


rule comparison:
    input:
        rules.comparison_results.input,
        rules.comparison_costs.output,
    message:
        "The comparison is complete: results are in {COMPARISON}"
