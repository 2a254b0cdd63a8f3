# A tutorial's three designs (paper 004) and a forum's question (paper 002). The target is `designs`.


include: "designs/runs.smk"


wildcard_constraints:
    design="model1|model2",


if not CONFIG.dataset.validation.fraction:

    rule designs_labels:
        input:
            f"{RESULTS}/labels/train.h5",
        output:
            train=DESIGN_LABELS["train"],
            val=DESIGN_LABELS["val"],
        log:
            log_of("designs_labels"),
        benchmark:
            benchmark_of("designs_labels")
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=memory(2000),
            runtime=10,
        params:
            fraction=CONFIG.designs.validation,
            seed=CONFIG.designs.seed,
            code=code("designs/labels.py"),
        message:
            "Holding out a part of train, on which the designs choose epochs and thresholds"
        script:
            "../scripts/designs/labels.py"


for job, names in enumerate(DESIGN_MODEL3_JOBS):

    rule:
        name:
            f"designs_model3_{job}"
        input:
            labels=[DESIGN_LABELS[split] for split in ("train", "val", "test")],
            images=design_images("train", "val", "test"),
            image_lists=design_lists("train", "val", "test"),
        output:
            weights=expand(f"{DESIGNS}/runs/{{run}}/best.weights.h5", run=names),
            records=expand(f"{DESIGNS}/runs/{{run}}/run.json", run=names),
            logs=expand(f"{DESIGNS}/runs/{{run}}/log.csv", run=names),
            scores=expand(f"{DESIGNS}/predictions/{{run}}/{{split}}.h5", run=names, split=["val", "test"]),
            timing=expand(f"{DESIGNS}/timing/{{run}}.csv", run=names),
        log:
            log_of(f"designs_model3_{job}"),
        benchmark:
            benchmark_of(f"designs_model3_{job}")
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.training
        resources:
            gpu=GPUS,
            mem_mb=memory(6000),
            runtime=720,
        params:
            runs=names,
            folders=DESIGN_IMAGES,
            settings=DESIGN_SETTINGS
            | {"epochs": CONFIG.designs.epochs.model3}
            | ({"gamma": CONFIG.designs.gamma} if design_names.run_of("focal") in names else {}),
            memory_gb=CONFIG.designs.memory_gb,
            reading=READING,
            configuration=DESIGN_RECORD,
            threads=CONFIG.threads.training,
            code=code("designs/model3.py"),
        message:
            f"Training {len(names)} run(s) of Model 3, from {names[0]} to {names[-1]}"
        script:
            "../scripts/designs/model3.py"


# The networks of one label: those of Model 1 in several jobs; of Model 2 the first, then heads on its convolutions.
for design, job in [
    *(("model1", job) for job in DESIGN_JOBS),
    ("model2", "first"),
    *(("model2", job) for job in DESIGN_JOBS),
]:

    rule:
        name:
            f"designs_{design}_{job}"
        input:
            labels=[DESIGN_LABELS[split] for split in ("train", "val")],
            images=design_images("train"),
            image_lists=design_lists("train", "val"),
            first=f"{DESIGNS}/networks/model2_first.h5" if design == "model2" and job != "first" else [],
        output:
            networks=f"{DESIGNS}/networks/{design}_{job}.h5",
            log=f"{DESIGNS}/networks/{design}_{job}.csv",
            timing=f"{DESIGNS}/timing/{design}_{job}.csv",
        log:
            log_of(f"designs_{design}_{job}"),
        benchmark:
            benchmark_of(f"designs_{design}_{job}")
        priority: 1 if job == "first" else 0
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.training
        resources:
            gpu=GPUS,
            mem_mb=memory(6000),
            runtime=720,
        params:
            design=design,
            part=None if job == "first" else (job, len(DESIGN_JOBS)),
            settings=DESIGN_SETTINGS | {"epochs": getattr(CONFIG.designs.epochs, design)},
            memory_gb=CONFIG.designs.memory_gb,
            reading=READING,
            configuration=DESIGN_RECORD,
            threads=CONFIG.threads.training,
            code=code("designs/networks.py"),
        message:
            f"Training networks of one label each: {design}, {job}"
        script:
            "../scripts/designs/networks.py"


rule designs_assembled:
    input:
        networks=lambda wildcards: design_networks(wildcards, "h5"),
        logs=lambda wildcards: design_networks(wildcards, "csv"),
        labels=[DESIGN_LABELS[split] for split in ("val", "test")],
        images=design_images("val", "test"),
        image_lists=design_lists("val", "test"),
    output:
        scores=[f"{DESIGNS}/predictions/{{design}}/{split}.h5" for split in ("val", "test")],
        record=f"{DESIGNS}/runs/{{design}}/run.json",
        cost=f"{DESIGNS}/timing/cost_{{design}}.json",
    log:
        log_of("designs_assembled_{design}"),
    benchmark:
        benchmark_of("designs_assembled_{design}")
    conda:
        "../../envs/cpu.yaml"
    threads: CONFIG.threads.training
    resources:
        mem_mb=memory(8000),
        runtime=120,
    params:
        folders=DESIGN_IMAGES,
        sizes=DESIGN_SETTINGS["sizes"],
        memory_gb=CONFIG.designs.memory_gb,
        reading=READING,
        threads=CONFIG.threads.training,
        code=code("designs/assembled.py"),
    message:
        "Scores of {wildcards.design} in one call, and what they cost"
    script:
        "../scripts/designs/assembled.py"


rule designs_model3_cost:
    input:
        weights=f"{DESIGNS}/runs/model3/best.weights.h5",
        labels=DESIGN_LABELS["test"],
    output:
        f"{DESIGNS}/timing/cost_model3.json",
    log:
        log_of("designs_model3_cost"),
    benchmark:
        benchmark_of("designs_model3_cost")
    conda:
        "../../envs/cpu.yaml"
    threads: CONFIG.threads.training
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        sizes=DESIGN_SETTINGS["sizes"],
        threads=CONFIG.threads.training,
        code=code("designs/model3_cost.py"),
    message:
        "What the scores of Model 3 cost"
    script:
        "../scripts/designs/model3_cost.py"


rule designs_features:
    input:
        labels=[DESIGN_LABELS[split] for split in ("train", "val", "test")],
        features=expand(
            f"{RESULTS}/features/{{split}}_{CONFIG.designs.forum.preprocess}_{CONFIG.designs.forum.pooling}.h5",
            split=CONFIG.splits,
        ),
    output:
        scores=expand(
            f"{DESIGNS}/predictions/{{run}}/{{split}}.h5",
            run=sum(DESIGN_FEATURE_RUNS.values(), []),
            split=["val", "test"],
        ),
        records=expand(f"{DESIGNS}/runs/{{run}}/run.json", run=sum(DESIGN_FEATURE_RUNS.values(), [])),
    log:
        log_of("designs_features"),
    benchmark:
        benchmark_of("designs_features")
    conda:
        "../../envs/gpu.yaml"
    threads: CONFIG.threads.training
    resources:
        gpu=GPUS,
        mem_mb=memory(4000),
        runtime=720,
    params:
        outputs=list(DESIGN_FEATURE_RUNS),
        seeds=CONFIG.designs.forum.seeds,
        settings=CONFIG.designs.model_dump(include={"batch_size", "learning_rate", "seed"})
        | CONFIG.designs.forum.model_dump(include={"hidden", "epochs"}),
        configuration=DESIGN_RECORD | {"base": CONFIG.base.model_dump()},
        threads=CONFIG.threads.training,
        code=code("designs/features.py"),
    message:
        "The forum's outputs on bottleneck features: {params.outputs}, {params.seeds} seed(s) each"
    script:
        "../scripts/designs/features.py"


# Where the designs have the splits that all have, the shared rule makes the metrics, of each run alone.
if not CONFIG.dataset.validation.fraction:

    ruleorder: designs_metrics > metrics

    rule designs_metrics:
        input:
            labels=[DESIGN_LABELS[split] for split in ("val", "test")],
            scores=expand(f"{DESIGNS}/predictions/{{run}}/{{split}}.h5", run=DESIGN_RUNS, split=["val", "test"]),
        output:
            expand(f"{DESIGNS}/metrics/{{run}}.json", run=DESIGN_RUNS),
        log:
            log_of("designs_metrics"),
        benchmark:
            benchmark_of("designs_metrics")
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=memory(1000),
            runtime=20,
        params:
            runs=DESIGN_RUNS,
            k=CONFIG.evaluation.k,
            code=code("designs/metrics.py"),
        message:
            "Metrics of the designs' runs on images"
        script:
            "../scripts/designs/metrics.py"


rule designs_model:
    input:
        metrics=[f"{DESIGNS}/metrics/{run}.json" for run in DESIGN_MODEL3],
        weights=[f"{DESIGNS}/runs/{run}/best.weights.h5" for run in DESIGN_MODEL3],
        records=[f"{DESIGNS}/runs/{run}/run.json" for run in DESIGN_MODEL3],
        scores=[f"{DESIGNS}/predictions/{run}/{split}.h5" for run in DESIGN_MODEL3 for split in ("val", "test")],
        labels=[DESIGN_LABELS[split] for split in ("val", "test")],
        images=design_images("test"),
        image_lists=design_lists("test"),
    output:
        model=f"{DESIGNS}/model/{DATASET}_model3.h5",
        gallery=f"{DESIGNS}/gallery.html",
    log:
        log_of("designs_model"),
    benchmark:
        benchmark_of("designs_model")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        dataset=DATASET,
        runs=DESIGN_MODEL3,
        sizes=DESIGN_SETTINGS["sizes"],
        code=code("designs/model.py"),
    message:
        "The best run of Model 3 as one file for multilabel predict, and a page of its test images"
    script:
        "../scripts/designs/model.py"


# On demand: snakemake results/…/designs/models/model1.h5
rule designs_run_model:
    input:
        weights=lambda wildcards: design_weights(wildcards),
        record=f"{DESIGNS}/runs/{{design}}/run.json",
        scores=f"{DESIGNS}/predictions/{{design}}/val.h5",
        labels=DESIGN_LABELS["val"],
    output:
        f"{DESIGNS}/models/{{design}}.h5",
    log:
        log_of("designs_run_model_{design}"),
    benchmark:
        benchmark_of("designs_run_model_{design}")
    wildcard_constraints:
        design="model[123]",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=20,
    params:
        sizes=DESIGN_SETTINGS["sizes"],
        code=code("designs/run_model.py"),
    message:
        "{wildcards.design} as one file for multilabel predict"
    script:
        "../scripts/designs/run_model.py"


rule designs_quality:
    input:
        labels=[DESIGN_LABELS[split] for split in ("train", "val", "test")],
        scores=expand(
            f"{DESIGNS}/predictions/{{run}}/{{split}}.h5",
            run=[*DESIGN_RUNS, *sum(DESIGN_FEATURE_RUNS.values(), [])],
            split=["val", "test"],
        ),
    output:
        classes=designs_reported(table("classes", DESIGNS), "Each class with each design", "Tables", "classes"),
        ablation=designs_reported(table("ablation", DESIGNS), "Losses for rare classes: table", "Tables", "ablation"),
        outputs=designs_reported(table("outputs", DESIGNS), "The forum's question: table", "Tables", "outputs"),
        scores=designs_reported(figure("scores", DESIGNS), "The forum's question: scores", "Figures", "scores"),
        rare=designs_reported(figure("rare", DESIGNS), "Losses for rare classes: figure", "Figures", "ablation"),
        differences=f"{DESIGNS}/ablation.csv",
    log:
        log_of("designs_quality"),
    benchmark:
        benchmark_of("designs_quality")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        dataset=DATASET,
        runs=DESIGN_RUNS,
        features=DESIGN_FEATURE_RUNS,
        resamples=CONFIG.evaluation.resamples,
        seed=CONFIG.evaluation.seed,
        code=code("designs/quality.py"),
    message:
        "How good the designs are, and what losses for rare classes and the forum's outputs change"
    script:
        "../scripts/designs/quality.py"


# What is measured differs each time, so it lies in tables and a figure of their own.
rule designs_costs:
    input:
        labels=[DESIGN_LABELS[split] for split in ("train", "val", "test")],
        scores=expand(
            f"{DESIGNS}/predictions/{{design}}/{{split}}.h5",
            design=["model1", "model2", "model3"],
            split=["val", "test"],
        ),
        log=f"{DESIGNS}/runs/model3/log.csv",
        differences=f"{DESIGNS}/ablation.csv",
        costs=expand(f"{DESIGNS}/timing/cost_{{design}}.json", design=["model1", "model2", "model3"]),
        model1=[f"{DESIGNS}/timing/model1_{job}.csv" for job in DESIGN_JOBS],
        model2=[f"{DESIGNS}/timing/model2_{job}.csv" for job in ["first", *DESIGN_JOBS]],
        model3=f"{DESIGNS}/timing/model3.csv",
    output:
        comparison=designs_reported(
            table("comparison", f"{DESIGNS}/timing"), "Section 7: the three designs", "Tables", "comparison"
        ),
        reproduction=designs_reported(
            table("reproduction", f"{DESIGNS}/timing"),
            "The tutorial's numbers against ours",
            "Tables",
            "reproduction",
        ),
        cost=designs_reported(figure("cost", f"{DESIGNS}/timing"), "Quality against time and size", "Figures", "cost"),
    log:
        log_of("designs_costs"),
    benchmark:
        benchmark_of("designs_costs")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        dataset=DATASET,
        resamples=CONFIG.evaluation.resamples,
        seed=CONFIG.evaluation.seed,
        comparable=CONFIG.is_the_tutorials,
        code=code("designs/costs.py"),
    message:
        "Section 7's table, measured, and the tutorial's numbers beside ours"
    script:
        "../scripts/designs/costs.py"


rule designs_results:
    input:
        rules.designs_quality.output,
        expand(f"{DESIGNS}/metrics/{{run}}.json", run=DESIGN_RUNS),
        rules.designs_model.output,
    message:
        "All of the designs is complete, but for what shows measured times"


rule designs:
    input:
        rules.designs_results.input,
        rules.designs_costs.output,
    message:
        "The three designs are complete: results are in {DESIGNS}"
