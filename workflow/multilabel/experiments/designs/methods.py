"""What the experiment offers for comparison: the three designs."""

from multilabel.config.designs import Keys
from multilabel.experiments.designs.names import MODEL_1, MODEL_2, MODEL_3
from multilabel.methods import LeftOut, Method, Run

TITLES = {
    MODEL_1: "Model 1: one network per label",
    MODEL_2: "Model 2: shared convolutions, one head per label",
    MODEL_3: "Model 3: one network for all labels",
}


def methods(config: Keys) -> list[Method | LeftOut]:
    """The three designs with the tutorial's loss."""
    jobs = [str(job) for job in range(config.designs.networks_jobs)]
    timings = {
        MODEL_1: [f"{MODEL_1}_{job}" for job in jobs],
        MODEL_2: [f"{MODEL_2}_{job}" for job in ["first", *jobs]],
        MODEL_3: [MODEL_3],
    }
    return [
        Method(name, title, ((_run(name, timings[name]),),), (f"designs/models/{name}.h5",))
        for name, title in TITLES.items()
    ]


def _run(name: str, timings: list[str]) -> Run:
    timing = tuple(f"designs/timing/{timing}.csv" for timing in timings)
    return Run(name, "designs", f"designs/runs/{name}/run.json", timing)
