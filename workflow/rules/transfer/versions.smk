# Where runs come from, curves to plot, the target of the whole experiment, and one for each of its stages in DVC.


# Seconds are measured, so this table is not the same in every run: it lies apart from the tables, which are.
rule provenance:
    input:
        records=[
            *outputs_of_stage_1("results/{root}/top_models/{run}/run.json"),
            *expand(f"{RESULTS}/finetuned/{{run}}/run.json", run=FINETUNED),
        ],
        timings=[
            *outputs_of_stage_1("results/{root}/timing/top_models/{run}.csv"),
            *expand(f"{RESULTS}/timing/finetuned/{{run}}.csv", run=FINETUNED),
        ],
        features=[
            *feature_files(DATASET, STAGE_1[DATASET]),
            *feature_files(RANDOM_BASE, STAGE_1[RANDOM_BASE]),
        ],
    output:
        reported(
            expand(f"{RESULTS}/provenance/runs.{{form}}", form=["csv", "md", "tex", "html"]),
            "Where each run comes from",
            "Tables",
            "provenance",
        ),
    log:
        log_of("provenance"),
    benchmark:
        benchmark_of("provenance")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        code=code("transfer/origins.py"),
    message:
        "Where each run comes from: configuration, data, weights, code, versions, machine"
    script:
        "../../scripts/transfer/origins.py"


rule curves:
    input:
        top_models=expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=TOP_MODELS),
        finetuned=expand(f"{RESULTS}/finetuned/{{run}}/log.csv", run=FINETUNED),
        final=f"{RESULTS}/final_model.json",
        labels=f"{RESULTS}/labels/{TEST}.h5",
        scores=expand(f"{RESULTS}/predictions/{{run}}/{TEST}.h5", run=FINETUNED),
    output:
        training=f"{RESULTS}/curves/training.csv",
        average_precision=f"{RESULTS}/curves/average_precision.csv",
        precision_recall=f"{RESULTS}/curves/precision_recall.csv",
    log:
        log_of("curves"),
    benchmark:
        benchmark_of("curves")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        test=TEST,
        code=code("transfer/curves.py"),
    message:
        "Curves for dvc plots: training, average precision by class, precision against recall"
    script:
        "../../scripts/transfer/curves.py"


rule transfer:
    input:
        rules.dataset_statistics.output,
        rules.table1.output,
        rules.run_tables.output,
        rules.loss_figures.output,
        [] if "fig6b" in LEFT_OUT else rules.time_figure.output,
        rules.table2.output,
        rules.examples.output,
        rules.model.output,
        rules.gallery.output,
        rules.metric_table.output,
        rules.intervals.output,
        rules.reproduction.output,
        rules.cooccurrence.output,
        rules.learning_curve_figure.output,
        rules.single_label_table.output if SINGLE_LABEL else [],
        rules.curves.output,
        rules.provenance.output,
    message:
        "Paper 000 is complete: results are in {RESULTS}"


# The stages of dvc.yaml, each with what those before it made.


rule all_features:
    input:
        [labels_of(root, split) for root, found in STAGE_1.items() if found for split in CONFIG.splits],
        [
            feature_file(root, split, run)
            for root in (DATASET, RANDOM_BASE)
            for split in CONFIG.splits
            for run in STAGE_1[root]
        ],
    message:
        "Labels and features are complete"


rule all_top_models:
    input:
        outputs_of_stage_1("results/{root}/top_models/{run}/best.weights.h5"),
    message:
        "The top models are trained"


rule all_finetuned:
    input:
        expand(f"{RESULTS}/finetuned/{{run}}/best.weights.h5", run=FINETUNED),
    message:
        "The fine-tuned models are trained"


rule all_report:
    input:
        [path for path in rules.transfer.input if path not in [*rules.time_figure.output, *rules.provenance.output]],
    message:
        "Tables, figures and curves are complete, but for those that hold measured times"


rule all_metrics:
    input:
        rules.final_model.output,
        rules.metric_table.input,
        rules.intervals.input,
        rules.learning_curve.output,
        rules.single_label.output if SINGLE_LABEL else [],
    message:
        "The models are evaluated and the final one is chosen"
