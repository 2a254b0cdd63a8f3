# What the dataset looks like.


rule dataset_statistics:
    input:
        expand(f"{RESULTS}/labels/{{split}}.h5", split=CONFIG.splits),
    output:
        table=reported(table("dataset_statistics"), "Images and labels", "Tables", "dataset_statistics"),
        fig2=reported(figure("fig2"), "Fig. 2: images with each label", "Figures", "fig2"),
        fig3=reported(figure("fig3"), "Fig. 3: labels per image", "Figures", "fig3"),
    log:
        log_of("dataset_statistics"),
    benchmark:
        benchmark_of("dataset_statistics")
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        splits=CONFIG.splits,
        dataset=DATASET,
        code=code("transfer/dataset_statistics.py"),
    message:
        "Counting labels: the dataset's table and Figs. 2 and 3"
    script:
        "../../scripts/transfer/dataset_statistics.py"
