# Raw data: what is published, and the generated dataset of the demo.


# Only where something is missing: data that lies there is never made again, whatever changes here. What downloads is a
# local rule: on a cluster it runs where Snakemake does, because nodes often do not reach the network.
for unpacking in published.UNPACKINGS:
    if all(map(os.path.exists, unpacking.outputs)):
        continue

    rule:
        name:
            f"unpack_{unpacking.name}"
        output:
            [path if os.path.splitext(path)[1] else directory(path) for path in unpacking.outputs],
        log:
            f"logs/downloads/{unpacking.name}.log",
        benchmark:
            f"benchmarks/downloads/{unpacking.name}.tsv"
        localrule: True
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=memory(1000),
            runtime=1440,
        params:
            archives=unpacking.archives,
            members=unpacking.members,
            downloads=DOWNLOADS,
        message:
            f"Fetching {' and '.join(unpacking.archives)} and unpacking into {unpacking.folder}"
        script:
            "../scripts/unpack.py"


rule official_weights:
    output:
        "resources/weights/{file}",
    log:
        "logs/downloads/{file}.log",
    benchmark:
        "benchmarks/downloads/{file}.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=120,
    params:
        base=CONFIG.base.model_dump(include={"network", "options", "input_size"}),
        top=lambda wildcards: wildcards.file == official_name(CONFIG.base, top=True),
        downloads=DOWNLOADS,
    message:
        "Fetching published weights: {wildcards.file}"
    script:
        "../scripts/official_weights.py"


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
        mem_mb=memory(1000),
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
        mem_mb=memory(1000),
        runtime=10,
    params:
        images=CONFIG.dataset.shapes.single_objects,
        size=CONFIG.dataset.shapes.single_size,
        seed=CONFIG.dataset.shapes.seed,
        code=code("single_objects.py"),
    message:
        "Drawing the single objects on which the demo's base network is trained"
    script:
        "../scripts/single_objects.py"
