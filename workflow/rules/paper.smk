# The tables and figures of paper 000. They are leaves: no rule reads them.


PANELS = {
    "fig4": {"fig4a": "fig4a", "fig4b": "fig4b"},
    "fig5": {"fig5a": "fig5a", "fig5b": "fig5b", "fig5c": "fig5c"},
    "fig6": {"fig6a": "fig6", "fig6b": "fig6"},
}


rule table1:
    message:
        "Table 1: the hyper-parameters and their variants"
    output:
        report(table("table1"), category="Tables", caption="../report/table1.rst"),
    params:
        top_models=list(TOP_MODELS),
        finetuned=list(FINETUNED),
        code=code("table1.py"),
    log:
        log_of("table1"),
    benchmark:
        benchmark_of("table1")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/table1.py"


rule run_tables:
    message:
        "Every run of both stages: epochs, best epoch, losses"
    input:
        top_model_logs=expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=TOP_MODELS),
        top_model_records=expand(f"{RESULTS}/top_models/{{run}}/run.json", run=TOP_MODELS),
        finetuned_logs=expand(f"{RESULTS}/finetuned/{{run}}/log.csv", run=FINETUNED),
        finetuned_records=expand(f"{RESULTS}/finetuned/{{run}}/run.json", run=FINETUNED),
    output:
        top_models=report(table("top_models"), category="Tables", caption="../report/top_models.rst"),
        finetuned=report(table("finetuned"), category="Tables", caption="../report/finetuned.rst"),
    params:
        top_model_configuration=record_of(RESULTS),
        finetuned_configuration=FINETUNE_RECORD,
        code=code("run_tables.py"),
    log:
        log_of("run_tables"),
    benchmark:
        benchmark_of("run_tables")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/run_tables.py"


rule loss_figures:
    message:
        "Figs. 4 to 6: validation losses of the top models, and those of fine-tuning"
    input:
        top_models=expand(f"{RESULTS}/top_models/{{run}}/log.csv", run=TOP_MODELS),
        finetuned=expand(f"{RESULTS}/finetuned/{{run}}/log.csv", run=FINETUNED),
    output:
        [
            report(path, category="Figures", caption=f"../report/{name[:4]}.rst")
            for name in [*(panel for panels in PANELS.values() for panel in panels), "finetuning"]
            for path in figure(name)
        ],
    params:
        folder=f"{RESULTS}/figures",
        figures={
            name: {panel: [run.name for run in CONFIG.panel(runs_)] for panel, runs_ in panels.items()}
            for name, panels in PANELS.items()
        },
        code=code("loss_figures.py"),
    log:
        log_of("loss_figures"),
    benchmark:
        benchmark_of("loss_figures")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/loss_figures.py"


rule table2:
    message:
        "Table 2: the final model beside published results"
    input:
        final=f"{RESULTS}/final_model.json",
        labels=expand(f"{RESULTS}/labels/{{split}}.h5", split=EVALUATED),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{{split}}.h5", run=FINETUNED, split=EVALUATED),
        augmented=expand(f"{RESULTS}/predictions/{{run}}/{TEST}_augmented.h5", run=FINETUNED),
    output:
        report(table("table2"), category="Tables", caption="../report/table2.rst"),
    params:
        results=RESULTS,
        dataset=DATASET,
        test=TEST,
        k=CONFIG.evaluation.k,
        ties=CONFIG.evaluation.ties,
        seed=CONFIG.evaluation.seed,
        code=code("table2.py"),
    log:
        log_of("table2"),
    benchmark:
        benchmark_of("table2")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/table2.py"


rule examples:
    message:
        "Table 3 and Fig. 7: ranked predictions for example images"
    input:
        final=f"{RESULTS}/final_model.json",
        labels=f"{RESULTS}/labels/{TEST}.h5",
        images=images_of(TEST),
        scores=expand(f"{RESULTS}/predictions/{{run}}/{TEST}.h5", run=FINETUNED),
    output:
        table=report(table("table3"), category="Tables", caption="../report/table3.rst"),
        figure=report(figure("fig7"), category="Figures", caption="../report/fig7.rst"),
    params:
        results=RESULTS,
        test=TEST,
        image_ids=CONFIG.figures.fig7,
        code=code("examples.py"),
    log:
        log_of("examples"),
    benchmark:
        benchmark_of("examples")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/examples.py"


rule metric_table:
    message:
        "The metrics of top models, fine-tuned models and baselines side by side"
    input:
        finetuned=expand(f"{RESULTS}/metrics/{{run}}.json", run=FINETUNED),
        top_models=expand(f"{RESULTS}/metrics/{{run}}.json", run=STARTS),
        random_base=expand(f"{RANDOM_BASE}/metrics/{{run}}.json", run=BASELINES),
    output:
        report(table("metrics"), category="Tables", caption="../report/metrics.rst"),
    params:
        test=TEST,
        dataset=DATASET,
        code=code("metric_table.py"),
    log:
        log_of("metric_table"),
    benchmark:
        benchmark_of("metric_table")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/metric_table.py"


rule paper:
    message:
        "Paper 000 is complete: results are in {RESULTS}"
    input:
        rules.dataset_statistics.output,
        rules.table1.output,
        rules.run_tables.output,
        rules.loss_figures.output,
        rules.table2.output,
        rules.examples.output,
        rules.metric_table.output,
