# Raw data: the generated dataset of the demo.


def images_of(split):
    """Folder of a split's images."""
    source = "test" if split == TEST and not CONFIG.dataset.test.fraction else "train"
    if CONFIG.dataset.kind == "shapes":
        return f"{RESULTS}/data/{'val' if source == 'test' else 'train'}"
    return getattr(CONFIG.dataset, source).images


def annotations_of(source):
    """Annotations of the files for `train` or `test`."""
    if CONFIG.dataset.kind == "shapes":
        return f"{RESULTS}/data/annotations/instances_{'val' if source == 'test' else 'train'}.json"
    return getattr(CONFIG.dataset, source).annotations


rule scenes:
    message:
        "Drawing the scenes of the demo"
    output:
        directory(f"{RESULTS}/data/train"),
        directory(f"{RESULTS}/data/val"),
        f"{RESULTS}/data/annotations/instances_train.json",
        f"{RESULTS}/data/annotations/instances_val.json",
    params:
        folder=f"{RESULTS}/data",
        train=CONFIG.dataset.shapes.train,
        test=CONFIG.dataset.shapes.test,
        size=CONFIG.dataset.shapes.size,
        seed=CONFIG.dataset.shapes.seed,
        code=code("scenes.py"),
    log:
        log_of("scenes"),
    benchmark:
        benchmark_of("scenes")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/scenes.py"


rule single_objects:
    message:
        "Drawing the single objects on which the demo's base network is trained"
    output:
        f"{RESULTS}/data/single_objects.h5",
    params:
        count=CONFIG.dataset.shapes.single_objects,
        size=CONFIG.dataset.shapes.size,
        seed=CONFIG.dataset.shapes.seed,
        code=code("single_objects.py"),
    log:
        log_of("single_objects"),
    benchmark:
        benchmark_of("single_objects")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/cpu.yaml"
    script:
        "../scripts/single_objects.py"
