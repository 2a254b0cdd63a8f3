# Stage 1: the grid of top models, `grid.runs_per_job` of them in one process; and the same runs for comparisons.


for root, entry, batch in [(root, *job) for root in STAGE_1 for job in jobs_of(root)]:

    rule:
        name:
            job_name(root, batch)
        input:
            labels=[labels_of(root, "train"), labels_of(root, "val")],
            # The same for all jobs of an entry, so that runs dealt out otherwise are not trained again.
            features=feature_files(root, entry),
        output:
            logs=[f"results/{root}/top_models/{run.name}/log.csv" for run in batch],
            weights=[f"results/{root}/top_models/{run.name}/best.weights.h5" for run in batch],
            timing=[f"results/{root}/timing/top_models/{run.name}.csv" for run in batch],
            records=[f"results/{root}/top_models/{run.name}/run.json" for run in batch],
        log:
            f"logs/{root}/{job_name(DATASET, batch)}.log",
        benchmark:
            f"benchmarks/{root}/{job_name(DATASET, batch)}.tsv"
        # Fine-tuning, the longest of all, waits for the runs of the dataset's own folder.
        priority: 2 if root == DATASET else 0
        conda:
            "../../../envs/gpu.yaml"
        threads: CONFIG.threads.training
        resources:
            gpu=GPUS,
            # 2x4096 measured: 1.5 GB with averages of all of COCO, 3.2 GB with 7×7 maps and `memory_gb` of them besides.
            mem_mb=memory(8000),
            # The author's runs took 146 epochs in the middle, 303 at most, of 2.5 to 28 s on a GPU of 2017. Six of them
            # take 2 h, 14 h at worst; what meets its time limit goes on where it was.
            runtime=720,
        params:
            features=lambda wildcards, input: os.path.dirname(input.features[0]),
            settings=settings_of(root),
            configuration=record_of(root),
            threads=CONFIG.threads.training,
            code=code("transfer/top_models.py"),
        message:
            f"Training top models: {' '.join(run.short_name for run in batch)}"
        script:
            "../../scripts/transfer/top_models.py"
