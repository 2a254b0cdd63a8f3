# The tables and figures of paper 000. They are leaves: no rule reads them.


PANELS = {
    "fig4": {"fig4a": "fig4a", "fig4b": "fig4b"},
    "fig5": {"fig5a": "fig5a", "fig5b": "fig5b", "fig5c": "fig5c"},
    "fig6": {"fig6a": "fig6", "fig6b": "fig6"},
}
# Panels of which enough runs are trained.
DRAWN = {
    name: {panel: runs_ for panel, runs_ in panels.items() if CONFIG.is_drawn(runs_)} for name, panels in PANELS.items()
}
LEFT_OUT = [panel for name, panels in PANELS.items() for panel in panels if panel not in DRAWN[name]]
# All but Fig. 6b, whose times are measured: it is drawn by a rule of its own, and lies with the measured times.
BY_EPOCH = {
    name: {panel: runs_ for panel, runs_ in panels.items() if panel != "fig6b"} for name, panels in DRAWN.items()
}
BY_TIME = runs_of_panels({"fig6b": "fig6"})


# The logs of runs that are trained with further seeds.
REPEATED_LOGS = [f"results/{root}/top_models/{run.name}/log.csv" for root in SEEDS for run in STAGE_1[root]]


# The panels as the paper has them, of whose runs the author's logs have all.
REFERENCE = "results/maddox2017/figures"
REFERENCE_PANELS = {
    name: runs_of_panels(panels, configuration.Config()) for name, panels in PANELS.items() if name != "fig4"
}


rule table1:
    output:
        reported(table("table1"), "Table 1: hyper-parameters", "Tables", "table1"),
    log:
        log_of("table1"),
    benchmark:
        benchmark_of("table1")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        top_models=list(TOP_MODELS),
        finetuned=list(FINETUNED),
        code=code("transfer/table1.py"),
    message:
        "Table 1: the hyper-parameters and their variants"
    script:
        "../../scripts/transfer/table1.py"


rule run_tables:
    input:
        top_model_logs=expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=TOP_MODELS),
        top_model_records=outputs_of_stage_1("results/{root}/top_models/{run}/run.json"),
        repeats=REPEATED_LOGS,
        finetuned_logs=expand(f"{RESULTS}/finetuned/{{run}}/log.csv", run=FINETUNED),
        finetuned_records=expand(f"{RESULTS}/finetuned/{{run}}/run.json", run=FINETUNED),
    output:
        top_models=reported(table("top_models"), "Runs of stage 1: top models", "Tables", "top_models"),
        finetuned=reported(table("finetuned"), "Runs of stage 2: fine-tuning", "Tables", "finetuned"),
    log:
        log_of("run_tables"),
    benchmark:
        benchmark_of("run_tables")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        top_model_configurations={root: record_of(root) for root in STAGE_1},
        finetuned_configuration=FINETUNE_RECORD,
        left_out=LEFT_OUT,
        code=code("transfer/run_tables.py"),
    message:
        "Every run of both stages: epochs, best epoch, losses"
    script:
        "../../scripts/transfer/run_tables.py"


rule loss_figures:
    input:
        logs=[
            *expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=TOP_MODELS),
            *expand(f"{RESULTS}/finetuned/{{run}}/log.csv", run=FINETUNED),
        ],
        repeats=REPEATED_LOGS,
    output:
        [
            *(
                path
                for name, panels in BY_EPOCH.items()
                for panel in panels
                for path in reported(figure(panel), f"Fig. {panel[3:]}: top models", "Figures", name)
            ),
            *reported(figure("finetuning"), "Fine-tuning", "Figures", "finetuning"),
        ],
    log:
        log_of("loss_figures"),
    benchmark:
        benchmark_of("loss_figures")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        figures={
            **{name: runs_of_panels(panels) for name, panels in BY_EPOCH.items() if panels},
            "finetuning": {"finetuning": list(FINETUNED)},
        },
        reference=CONFIG.figures.reference,
        code=code("transfer/loss_figures.py"),
    message:
        "Figs. 4 to 6a: validation losses of the top models, and those of fine-tuning"
    script:
        "../../scripts/transfer/loss_figures.py"


rule time_figure:
    input:
        logs=expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=BY_TIME["fig6b"]),
        timings=expand(f"{RESULTS}/timing/top_models/{{run}}.csv", run=BY_TIME["fig6b"]),
        repeats=REPEATED_LOGS,
    output:
        reported(figure("fig6b", f"{RESULTS}/timing"), "Fig. 6b: top models", "Figures", "fig6"),
    log:
        log_of("time_figure"),
    benchmark:
        benchmark_of("time_figure")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        figures={"fig6": BY_TIME},
        reference=CONFIG.figures.reference,
        code=code("transfer/loss_figures.py"),
    message:
        "Fig. 6b: validation losses by measured time"
    script:
        "../../scripts/transfer/loss_figures.py"


rule reference_figures:
    output:
        [
            path
            for name, panels in REFERENCE_PANELS.items()
            for panel in panels
            for path in reported(
                [f"{REFERENCE}/{panel}.{suffix}" for suffix in ("pdf", "png")],
                f"Fig. {panel[3:]}: the author's own runs",
                "Figures",
                f"reference_{name}",
            )
        ],
    log:
        "logs/maddox2017/reference_figures.log",
    benchmark:
        "benchmarks/maddox2017/reference_figures.tsv"
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        figures=REFERENCE_PANELS,
        code=code("transfer/reference_figures.py"),
    message:
        "Figs. 5 and 6 from the author's own logs, in {REFERENCE}"
    script:
        "../../scripts/transfer/reference_figures.py"


rule table2:
    input:
        final=f"{RESULTS}/final_model.json",
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", run=FINETUNED, split=EVALUATED),
        augmented=expand(f"{RESULTS}/predictions/{{run}}/{TEST}_augmented.h5", run=FINETUNED),
    output:
        reported(table("table2"), "Table 2: beside published results", "Tables", "table2"),
    log:
        log_of("table2"),
    benchmark:
        benchmark_of("table2")
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
        ties=CONFIG.evaluation.ties,
        seed=CONFIG.evaluation.seed,
        code=code("transfer/table2.py"),
    message:
        "Table 2: the final model beside published results"
    script:
        "../../scripts/transfer/table2.py"


rule examples:
    input:
        final=f"{RESULTS}/final_model.json",
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=ancient(images_of(TEST)),
        image_list=list_of(TEST),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{TEST}.h5", run=FINETUNED),
    output:
        table=reported(table("table3"), "Table 3: predictions for example images", "Tables", "table3"),
        figure=reported(figure("fig7"), "Fig. 7: predictions for example images", "Figures", "fig7"),
    log:
        log_of("examples"),
    benchmark:
        benchmark_of("examples")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        test=TEST,
        image_ids=CONFIG.figures.fig7,
        code=code("transfer/examples.py"),
    message:
        "Table 3 and Fig. 7: ranked predictions for example images"
    script:
        "../../scripts/transfer/examples.py"


rule metric_table:
    input:
        finetuned=expand(f"{RESULTS}/metrics/{{run}}.json", run=FINETUNED),
        independent=expand(f"{RESULTS}/metrics/{{run}}.json", run=INDEPENDENT),
        chosen=[f"{RESULTS}/independent/{run}/run.json" for run in INDEPENDENT],
        coverage=metrics_of(COVERAGE),
        repeats=[path for root in SEEDS for path in metrics_of(root)],
        top_models=metrics_of(DATASET),
        random_base=metrics_of(RANDOM_BASE),
    output:
        reported(table("metrics"), "All metrics", "Tables", "metrics"),
    log:
        log_of("metric_table"),
    benchmark:
        benchmark_of("metric_table")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        test=TEST,
        dataset=DATASET,
        code=code("transfer/metric_table.py"),
    message:
        "The metrics of top models, fine-tuned models and baselines side by side"
    script:
        "../../scripts/transfer/metric_table.py"


rule reproduction:
    input:
        final=f"{RESULTS}/final_model.json",
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=dict.fromkeys(["train", *EVALUATED])),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", run=FINETUNED, split=EVALUATED),
        augmented=expand(f"{RESULTS}/predictions/{{run}}/{TEST}_augmented.h5", run=FINETUNED),
        top_models=expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=TOP_MODELS),
        finetuned=expand(f"{RESULTS}/finetuned/{{run}}/log.csv", run=FINETUNED),
    output:
        reproduction=reported(table("reproduction"), "Paper 000 against ours", "Tables", "reproduction"),
        best_epochs=reported(table("best_epochs"), "Best epochs, ours and the author's", "Tables", "best_epochs"),
    log:
        log_of("reproduction"),
    benchmark:
        benchmark_of("reproduction")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        dataset=DATASET,
        test=TEST,
        k=CONFIG.evaluation.k,
        ties=CONFIG.evaluation.ties,
        seed=CONFIG.evaluation.seed,
        panels={panel: names for panels in PANELS.values() for panel, names in runs_of_panels(panels).items()},
        departures=CONFIG.departures,
        code=code("transfer/reproduction.py"),
    message:
        "Paper 000 against ours, number by number"
    script:
        "../../scripts/transfer/reproduction.py"
