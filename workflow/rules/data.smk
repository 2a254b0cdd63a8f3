# Raw data: the generated dataset of the demo.


rule scenes:
    output:
        train=directory(f"{RESULTS}/data/train"),
        val=directory(f"{RESULTS}/data/val"),
        annotations=expand(f"{RESULTS}/data/annotations/instances_{{split}}.json", split=["train", "val"]),
    log:
        log_of("scenes"),
    benchmark:
        benchmark_of("scenes")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        train=CONFIG.dataset.shapes.train,
        test=CONFIG.dataset.shapes.test,
        size=CONFIG.dataset.shapes.size,
        seed=CONFIG.dataset.shapes.seed,
        code=code("scenes.py"),
    message:
        "Drawing the scenes of the demo"
    script:
        "../scripts/scenes.py"


rule single_objects:
    output:
        f"{RESULTS}/data/single_objects.h5",
    log:
        log_of("single_objects"),
    benchmark:
        benchmark_of("single_objects")
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        images=CONFIG.dataset.shapes.single_objects,
        size=CONFIG.dataset.shapes.size,
        seed=CONFIG.dataset.shapes.seed,
        code=code("single_objects.py"),
    message:
        "Drawing the single objects on which the demo's base network is trained"
    script:
        "../scripts/single_objects.py"
