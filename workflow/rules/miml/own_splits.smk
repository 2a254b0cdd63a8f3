# Both classifiers on the dataset's own splits, for the comparison with other methods.


rule miml_run:
    input:
        features=expand(f"{MIML}/features/{{split}}.h5", split=["train", "val", "test"]),
        labels=f"{RESULTS}/labels/train.h5",
    output:
        scores=expand(f"{MIML}/predictions/{{penalty}}/{{split}}.h5", split=["val", "test"], allow_missing=True),
        smaller=expand(f"{MIML}/predictions/{{penalty}}_n{{size}}/test.h5", size=CONFIG.miml.sizes, allow_missing=True),
        weights=f"{MIML}/runs/{{penalty}}/weights.h5",
        record=f"{MIML}/runs/{{penalty}}/run.json",
        timing=f"{MIML}/timing/{{penalty}}.csv",
    log:
        log_of("miml_run_{penalty}"),
    benchmark:
        benchmark_of("miml_run_{penalty}")
    wildcard_constraints:
        penalty="l1|l2",
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        # Four times the features of train, which may take `miml.largest_gb`.
        mem_mb=memory(8000),
        runtime=720,
    params:
        settings=CONFIG.miml.model_dump(include={"sizes", "c", "solver", "seed"}),
        configuration={"dataset": DATASET_RECORD, "labels": CONFIG.labels.model_dump()},
        code=code("miml/run.py"),
    message:
        "Logistic regression with the penalty {wildcards.penalty} on the images of train, and on fewer"
    script:
        "../../scripts/miml/run.py"


rule miml_run_model:
    input:
        classifiers=f"{MIML}/runs/{{penalty}}/weights.h5",
        record=f"{MIML}/runs/{{penalty}}/run.json",
        scores=f"{MIML}/predictions/{{penalty}}/val.h5",
        labels=f"{RESULTS}/labels/val.h5",
        weights=MIML_WEIGHTS,
    output:
        f"{MIML}/models/{{penalty}}.h5",
    log:
        log_of("miml_run_model_{penalty}"),
    benchmark:
        benchmark_of("miml_run_model_{penalty}")
    wildcard_constraints:
        penalty="l1|l2",
    conda:
        "../../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=20,
    params:
        base=BASE,
        network=CONFIG.miml.model_dump(include={"blocks", "bag", "preprocess"}),
        code=code("miml/run_model.py"),
    message:
        "Logistic regression with the penalty {wildcards.penalty} as one file, for multilabel predict"
    script:
        "../../scripts/miml/run_model.py"
