# The metrics of any run, from its scores on images that it was not trained on.


rule metrics:
    input:
        labels=f"{RESULTS}/labels/{TEST}.h5",
        scores=f"results/{{root}}/predictions/{{run}}/{TEST}.h5",
        validation_labels=f"{RESULTS}/labels/val.h5",
        validation_scores="results/{root}/predictions/{run}/val.h5",
    output:
        "results/{root}/metrics/{run}.json",
    log:
        "logs/{root}/metrics/{run}.log",
    benchmark:
        "benchmarks/{root}/metrics/{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=20,
    params:
        k=CONFIG.evaluation.k,
        # Whether images without labels count is each experiment's choice.
        unlabelled=lambda wildcards: wildcards.root.removeprefix(f"{DATASET}/") in CONFIG.counts_unlabelled,
        code=code("metrics.py"),
    message:
        "Metrics of {wildcards.run}"
    script:
        "../scripts/metrics.py"
