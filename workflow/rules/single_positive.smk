# Paper 001, second half: training on single positive labels (Cole et al. 2021). The target is `single_positive`.


include: "single_positive/runs.smk"


rule single_positive_labels:
    input:
        train=f"{RESULTS}/labels/train.h5",
        validation=f"{RESULTS}/labels/val.h5" if SINGLE_OWN else [],
        test=f"{RESULTS}/labels/{TEST}.h5",
    output:
        **SINGLE_LABELS,
        seen=single_seen(SINGLE_SEEN.values()),
    log:
        log_of("single_positive_labels"),
    benchmark:
        benchmark_of("single_positive_labels")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        studies=list(SINGLE_SEEN.values()),
        fraction=None if SINGLE_OWN else SINGLE_KEYS.validation,
        seed=SINGLE_KEYS.seed,
        validation_labels=SINGLE_KEYS.validation_labels,
        ks=SINGLE_KEYS.k,
        code=code("single_positive/labels.py"),
    message:
        "Drawing the observed labels of {DATASET}"
    script:
        "../scripts/single_positive/labels.py"


for job, studies in enumerate(SINGLE_JOBS):

    rule:
        name:
            f"single_positive_linear_{job}"
        input:
            features=[single_features(split) for split in SINGLE_PLACES.values()],
            labels=[SINGLE_LABELS["validation"], SINGLE_LABELS["test"]],
            chosen_by=SINGLE_LABELS["chosen_by"],
            seen=single_seen(studies),
        output:
            **single_outputs(studies),
        log:
            log_of(f"single_positive_linear_{job}"),
        benchmark:
            benchmark_of(f"single_positive_linear_{job}")
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.training
        resources:
            gpu=GPUS,
            mem_mb=memory(4000),
            runtime=720,
        params:
            studies=studies,
            places=list(SINGLE_PLACES),
            watched=single_watched(studies),
            settings=SINGLE_KEYS.settings("linear"),
            record=SINGLE_RECORD | {"threads": CONFIG.threads.training},
            folder=lambda wildcards, output: os.path.dirname(os.path.dirname(output.searches[0])),
            threads=CONFIG.threads.training,
            code=code("single_positive/linear.py"),
        message:
            f"Linear classifiers: {', '.join(study.name for study in studies)}"
        script:
            "../scripts/single_positive/linear.py"


for study in SINGLE_KEYS.image_studies:
    start = f"{SINGLE}/runs/{SINGLE_KEYS.start_of(study).name}" if study.mode == "linear_init" else None

    rule:
        name:
            f"single_positive_{study.mode}_{study.loss}"
        input:
            images=[ancient(images_of(split)) for split in SINGLE_PLACES.values()],
            image_lists=[list_of(split) for split in CONFIG.splits],
            labels=[SINGLE_LABELS["validation"], SINGLE_LABELS["test"]],
            chosen_by=SINGLE_LABELS["chosen_by"],
            seen=single_seen([study]),
            weights=weights_of(CONFIG.base),
            start=f"{start}/best.weights.h5" if start else [],
            estimates=f"{start}/estimates.h5" if start and study.loss == "role" else [],
        output:
            **single_outputs([study]),
        log:
            log_of(f"single_positive_{study.name}"),
        benchmark:
            benchmark_of(f"single_positive_{study.name}")
        conda:
            "../../envs/gpu.yaml"
        threads: CONFIG.threads.finetuning
        resources:
            gpu=GPUS,
            mem_mb=memory(16000),
            runtime=2880,
        params:
            study=study,
            places=list(SINGLE_PLACES),
            settings=SINGLE_KEYS.settings("end_to_end"),
            preprocess=SINGLE_KEYS.preprocess,
            memory_gb=SINGLE_KEYS.memory_gb,
            base=BASE,
            reading=READING,
            batch_size=CONFIG.features.batch_size,
            record=SINGLE_RECORD | {"threads": CONFIG.threads.finetuning},
            folder=lambda wildcards, output: os.path.dirname(os.path.dirname(output.searches[0])),
            threads=CONFIG.threads.finetuning,
            code=code("single_positive/images.py"),
        message:
            f"The whole network: {study.name}"
        script:
            "../scripts/single_positive/images.py"


# On demand: snakemake results/…/single_positive/models/{study}.h5
rule single_positive_model:
    input:
        search=f"{SINGLE}/searches/{{study}}.json",
        # Which of them was chosen, the search says.
        weights=lambda wildcards: [
            f"{SINGLE}/runs/{run}/best.weights.h5" for run in single_searched(SINGLE_STUDIES[wildcards.study])
        ],
        record=f"{SINGLE}/chosen/{{study}}_s{SINGLE_KEYS.training_seed}/run.json",
        scores=f"{SINGLE}/predictions/{{study}}_s{SINGLE_KEYS.training_seed}/val.h5",
        labels=SINGLE_LABELS["validation"],
        base=lambda wildcards: weights_of(CONFIG.base) if SINGLE_STUDIES[wildcards.study].mode == "linear" else [],
    output:
        f"{SINGLE}/models/{{study}}.h5",
    log:
        log_of("single_positive_model_{study}"),
    benchmark:
        benchmark_of("single_positive_model_{study}")
    wildcard_constraints:
        study="|".join(SINGLE_STUDIES),
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        study=lambda wildcards: SINGLE_STUDIES[wildcards.study],
        seed=SINGLE_KEYS.training_seed,
        base=BASE,
        preprocess=SINGLE_KEYS.preprocess,
        code=code("single_positive/model.py"),
    message:
        "The chosen run of {wildcards.study} as one file, for multilabel predict"
    script:
        "../scripts/single_positive/model.py"


rule single_positive_metrics:
    input:
        labels=SINGLE_LABELS["test"],
        searches=[f"{SINGLE}/searches/{study.name}.json" for study in SINGLE_KEYS.studies],
        predictions=single_predictions(SINGLE_KEYS.studies, "test"),
    output:
        table=f"{SINGLE}/metrics.csv",
        searched=f"{SINGLE}/searched.csv",
        json=f"{SINGLE}/metrics.json",
    log:
        log_of("single_positive_metrics"),
    benchmark:
        benchmark_of("single_positive_metrics")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        studies=SINGLE_KEYS.studies,
        seeds={mode: SINGLE_KEYS.seeds(mode) for mode in SINGLE_MODES},
        ks=SINGLE_KEYS.k,
        drop_last=SINGLE_KEYS.drop_last,
        code=code("single_positive/metrics.py"),
    message:
        "Metrics of all studies on the test images"
    script:
        "../scripts/single_positive/metrics.py"


rule single_positive_hidden:
    input:
        features=single_features("train"),
        labels=SINGLE_LABELS["train"],
        seen=single_seen(single_watched(SINGLE_KEYS.linear_studies)[:1]),
        searches=[f"{SINGLE}/searches/{study.name}.json" for study in single_watched(SINGLE_KEYS.linear_studies)],
        epochs=[f"{SINGLE}/epochs/{study.name}.h5" for study in single_watched(SINGLE_KEYS.linear_studies)],
        estimates=[
            f"{SINGLE}/estimates/{study.name}.h5"
            for study in single_watched(SINGLE_KEYS.linear_studies)
            if study.loss == "role"
        ],
    output:
        by_epoch=f"{SINGLE}/hidden_by_epoch.csv",
        recovery=f"{SINGLE}/recovery.csv",
    log:
        log_of("single_positive_hidden"),
    benchmark:
        benchmark_of("single_positive_hidden")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        studies=single_watched(SINGLE_KEYS.linear_studies),
        code=code("single_positive/hidden.py"),
    message:
        "What becomes of the labels that nobody observed"
    script:
        "../scripts/single_positive/hidden.py"


rule single_positive_report:
    input:
        metrics=rules.single_positive_metrics.output.table,
        searched=rules.single_positive_metrics.output.searched,
        by_epoch=rules.single_positive_hidden.output.by_epoch,
        recovery=rules.single_positive_hidden.output.recovery,
        labels=SINGLE_LABELS["train"],
        seen=rules.single_positive_hidden.input.seen,
        images=ancient(images_of("train")),
        image_list=list_of("train"),
    output:
        table2=single_reported(table("table2", SINGLE), "Table II", "Tables", "table2"),
        losses=single_reported(table("losses", SINGLE), "All losses", "Tables", "losses"),
        observed=single_reported(table("observed", SINGLE), "More observed labels: table", "Tables", "observed"),
        recovery=single_reported(table("recovery", SINGLE), "Recovery of hidden labels", "Tables", "recovery"),
        fig1=single_reported(figure("fig1", SINGLE), "Fig. 1: scores of hidden positives", "Figures", "fig1"),
        fig2=single_reported(figure("fig2", SINGLE), "Fig. 2: observed and hidden labels", "Figures", "fig2"),
        search=single_reported(figure("search", SINGLE), "The search", "Figures", "search"),
        observed_figure=single_reported(
            figure("observed", SINGLE), "More observed labels: figure", "Figures", "observed"
        ),
    log:
        log_of("single_positive_report"),
    benchmark:
        benchmark_of("single_positive_report")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        dataset=DATASET,
        observed=SINGLE_KEYS.main,
        departures=CONFIG.single_positive_departures,
        drop_last=SINGLE_KEYS.drop_last,
        examples=SINGLE_KEYS.examples,
        size=CONFIG.base.input_size,
        code=code("single_positive/report.py"),
    message:
        "Table II and Figs. 1 and 2 of paper 001, and what goes beyond"
    script:
        "../scripts/single_positive/report.py"


rule single_positive:
    input:
        rules.single_positive_report.output,
        rules.single_positive_metrics.output.json,
    message:
        "Single positive labels are complete: results are in {SINGLE}"
