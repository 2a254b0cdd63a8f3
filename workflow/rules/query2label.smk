# Paper 001, first half: Query2Label (Liu et al. 2021). The target is `query2label`.


include: "query2label/runs.smk"


wildcard_constraints:
    imported="|".join(Q2L_IMPORTED) or "none",
    looking="|".join(Q2L_LOOKING) or "none",


for q2l_kind, q2l_names in Q2L_RUNS.items():

    rule:
        name:
            f"query2label_{q2l_kind}"
        input:
            labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=Q2L_SPLITS),
            images=[ancient(images_of(split)) for split in Q2L_SPLITS],
            image_lists=[list_of(split) for split in Q2L_SPLITS],
            weights=weights_of(CONFIG.base),
        output:
            runs=expand(f"{Q2L}/runs/{{run}}/{{file}}", run=q2l_names, file=("log.csv", "best.weights.h5", "run.json")),
            predictions=expand(f"{Q2L}/predictions/{{run}}/{{split}}.h5", run=q2l_names, split=EVALUATED),
            models=expand(f"{Q2L}/models/{{run}}.h5", run=q2l_names),
            timing=expand(f"{Q2L}/timing/{{run}}.csv", run=q2l_names),
        log:
            log_of(f"query2label_{q2l_kind}"),
        benchmark:
            benchmark_of(f"query2label_{q2l_kind}")
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.finetuning
        resources:
            gpu=GPUS,
            mem_mb=memory(16000),
            runtime=2880,
        params:
            runs=q2l_names,
            seed=Q2L_KEYS.seed,
            design=Q2L_KEYS.design(q2l_kind, BASE),
            settings=Q2L_KEYS.settings(q2l_kind),
            splits=Q2L_SPLITS,
            evaluated=EVALUATED,
            reading=READING,
            folder=lambda wildcards, output: os.path.dirname(os.path.dirname(output.models[0])),
            record={
                "dataset": DATASET_RECORD,
                "labels": CONFIG.labels.model_dump(),
                "base": CONFIG.base.model_dump(),
                "threads": CONFIG.threads.finetuning,
            },
            threads=CONFIG.threads.finetuning,
            code=code("query2label/train.py"),
        message:
            f"Training {', '.join(q2l_names)}"
        script:
            "../scripts/query2label/train.py"


rule query2label_import:
    input:
        checkpoint=lambda wildcards: Q2L_IMPORTED[wildcards.imported].checkpoint,
        config=lambda wildcards: Q2L_IMPORTED[wildcards.imported].config,
        labels=f"{RESULTS}/labels/{TEST}.h5",
    output:
        f"{Q2L}/models/{{imported}}.h5",
    log:
        log_of("query2label_import_{imported}"),
    benchmark:
        benchmark_of("query2label_import_{imported}")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=30,
    params:
        threads=1,
        code=code("query2label/import.py"),
    message:
        "Reading the checkpoint {input.checkpoint}"
    script:
        "../scripts/query2label/import.py"


rule query2label_predict:
    input:
        model=f"{Q2L}/models/{{imported}}.h5",
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        images=[ancient(images_of(split)) for split in EVALUATED],
        image_lists=[list_of(split) for split in EVALUATED],
    output:
        expand(f"{Q2L}/predictions/{{{{imported}}}}/{{split}}.h5", split=EVALUATED),
    log:
        log_of("query2label_predict_{imported}"),
    benchmark:
        benchmark_of("query2label_predict_{imported}")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=1440,
    params:
        reading=READING,
        batch_size=CONFIG.features.batch_size,
        threads=CONFIG.threads.features,
        code=code("query2label/predict.py"),
    message:
        "Scores of {wildcards.imported}"
    script:
        "../scripts/query2label/predict.py"


rule query2label_attention:
    input:
        model=f"{Q2L}/models/{{looking}}.h5",
        scores=f"{Q2L}/predictions/{{looking}}/{TEST}.h5",
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=ancient(images_of(TEST)),
        image_lists=list_of(TEST),
        annotations=q2l_annotations(TEST) if Q2L_MASKS else [],
    output:
        examples=f"{Q2L}/attention/{{looking}}.h5",
        inside=[f"{Q2L}/attention/{{looking}}.csv"] if Q2L_MASKS else [],
        gallery=f"{Q2L}/galleries/{{looking}}.html",
    log:
        log_of("query2label_attention_{looking}"),
    benchmark:
        benchmark_of("query2label_attention_{looking}")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=1440,
    params:
        dataset=DATASET,
        examples=Q2L_KEYS.examples,
        crowds=CONFIG.dataset.crowds,
        reading=READING,
        batch_size=CONFIG.features.batch_size,
        threads=CONFIG.threads.features,
        code=code("query2label/attention.py"),
    message:
        "Where labels looked: {wildcards.looking}"
    script:
        "../scripts/query2label/attention.py"


rule query2label_cost:
    input:
        [f"{Q2L}/models/{runs[0]}.h5" for runs in Q2L_RUNS.values()],
    output:
        f"{Q2L}/timing/cost.csv",
    log:
        log_of("query2label_cost"),
    benchmark:
        benchmark_of("query2label_cost")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.features
    resources:
        gpu=GPUS,
        mem_mb=memory(8000),
        runtime=30,
    params:
        batch_size=CONFIG.features.batch_size,
        threads=CONFIG.threads.features,
        code=code("query2label/cost.py"),
    message:
        "What each network costs"
    script:
        "../scripts/query2label/cost.py"


rule query2label_table1:
    input:
        [f"{Q2L}/metrics/{name}.json" for name, entry in Q2L_IMPORTED.items() if entry.row],
    output:
        q2l_reported(table("table1", Q2L), "Table I", "Tables", "table1"),
    log:
        log_of("query2label_table1"),
    benchmark:
        benchmark_of("query2label_table1")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        rows=[entry.row for entry in Q2L_IMPORTED.values() if entry.row],
        dataset=DATASET,
        departures=CONFIG.query2label_departures,
        code=code("query2label/table1.py"),
    message:
        "Table I of paper 001"
    script:
        "../scripts/query2label/table1.py"


Q2L_COMPARED = len(Q2L_RUNS) > 1


# Milliseconds are measured: not among the files that are the same each time.
rule query2label_comparison:
    input:
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        predictions=[
            f"{Q2L}/predictions/{run}/{split}.h5" for runs in Q2L_RUNS.values() for run in runs for split in EVALUATED
        ],
        metrics=[f"{Q2L}/metrics/{run}.json" for runs in Q2L_RUNS.values() for run in runs],
        cost=f"{Q2L}/timing/cost.csv",
    output:
        q2l_reported(table("comparison", f"{Q2L}/timing"), "Comparison", "Tables", "comparison"),
    log:
        log_of("query2label_comparison"),
    benchmark:
        benchmark_of("query2label_comparison")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        runs=Q2L_RUNS,
        titles=Q2L_KEYS.titles,
        evaluated=EVALUATED,
        evaluation={
            "k": CONFIG.evaluation.k,
            "resamples": CONFIG.evaluation.resamples,
            "seed": CONFIG.evaluation.seed,
        },
        unlabelled=Q2L_KEYS.unlabelled,
        folder=lambda wildcards, input: os.path.dirname(os.path.dirname(input.metrics[0])),
        dataset=DATASET,
        code=code("query2label/comparison.py"),
    message:
        "Query2Label beside its base"
    script:
        "../scripts/query2label/comparison.py"


rule query2label_report:
    input:
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=ancient(images_of(TEST)),
        image_lists=list_of(TEST),
        inside=[f"{Q2L}/attention/{run}.csv" for run in Q2L_LOOKING] if Q2L_MASKS else [],
        examples=[f"{Q2L}/attention/{run}.h5" for run in Q2L_SHOWN],
    output:
        **(
            {"attention": q2l_reported(table("attention", Q2L), "Attention: table", "Tables", "attention_table")}
            if Q2L_MASKS
            else {}
        ),
        **{
            f"looks_{run}": q2l_reported(figure(f"attention_{run}", Q2L), f"Attention: {run}", "Figures", "attention")
            for run in Q2L_SHOWN
        },
    log:
        log_of("query2label_report"),
    benchmark:
        benchmark_of("query2label_report")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        looking=Q2L_LOOKING,
        figures=[f"looks_{run}" for run in Q2L_SHOWN],
        size=CONFIG.base.input_size,
        orient=CONFIG.oriented,
        dataset=DATASET,
        code=code("query2label/report.py"),
    message:
        "Where labels looked"
    script:
        "../scripts/query2label/report.py"


rule query2label_results:
    input:
        rules.query2label_table1.output,
        rules.query2label_report.output,
        [f"{Q2L}/metrics/{run}.json" for runs in Q2L_RUNS.values() for run in runs],
    message:
        "All of Query2Label is complete, but for what shows measured times"


rule query2label:
    input:
        rules.query2label_results.input,
        rules.query2label_comparison.output if Q2L_COMPARED else [],
    message:
        "Query2Label is complete: results are in {Q2L}"
