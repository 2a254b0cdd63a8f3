# Stage 1: the grid of top models. Runs that share their features share a process, `grid.runs_per_job` at a time.


def jobs_of(runs_):
    """The runs in groups for one process each: same features, equal sizes, at most `grid.runs_per_job`."""
    groups = {}
    for run in runs_:
        groups.setdefault((run.preprocess, run.pooling), []).append(run)
    for group in groups.values():
        count = -(-len(group) // CONFIG.grid.runs_per_job)
        yield from (group[start::count] for start in range(count))


GRID_SETTINGS = CONFIG.grid.model_dump(exclude={"runs", "extra", "runs_per_job", "gpu"})


def record_of(root):
    """What each run records of the configuration that it comes from: its own stage and those before it."""
    return {
        "dataset": CONFIG.dataset.model_dump(),
        "base": CONFIG.base.model_dump() | ({"weights": "random"} if root == RANDOM_BASE else {}),
        "grid": GRID_SETTINGS,
        "threads": CONFIG.threads.model_dump(include={"features", "training"}),
    }


for root, job, batch in [
    (root, job, batch)
    for root, wanted in [(RESULTS, TOP_MODELS.values()), (RANDOM_BASE, baseline_runs())]
    for job, batch in enumerate(jobs_of(wanted))
]:

    rule:
        name:
            f"top_models_{job}" if root == RESULTS else f"random_base_top_models_{job}"
        message:
            f"Training {len(batch)} top model(s), from {batch[0].short_name} to {batch[-1].short_name}"
        input:
            labels=[f"{RESULTS}/labels/train.h5", f"{RESULTS}/labels/val.h5"],
            features=feature_files(root, batch[0]),
        output:
            logs=[f"{root}/top_models/{run.name}/log.csv" for run in batch],
            weights=[f"{root}/top_models/{run.name}/best.weights.h5" for run in batch],
            records=[f"{root}/top_models/{run.name}/run.json" for run in batch],
        params:
            names=[run.name for run in batch],
            folder=f"{root}/top_models",
            settings=GRID_SETTINGS,
            configuration=record_of(root),
            threads=CONFIG.threads.training,
            code=code("top_models.py"),
        log:
            f"logs/{root.removeprefix('results/')}/top_models_{job}.log",
        benchmark:
            f"benchmarks/{root.removeprefix('results/')}/top_models_{job}.tsv"
        threads: CONFIG.threads.training
        resources:
            gpu=1 if CONFIG.grid.gpu else 0,
            mem_mb=8000,
            runtime=720,
        conda:
            "../../envs/gpu.yaml"
        script:
            "../scripts/top_models.py"
