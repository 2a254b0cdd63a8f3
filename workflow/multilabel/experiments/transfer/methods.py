"""The methods of the paper: top models, fine-tuned models, and what they have to beat."""

from multilabel.config.transfer import Keys
from multilabel.experiments.transfer.runs import TopModelRun
from multilabel.methods import LeftOut, Method, Run, Scores


def methods(config: Keys) -> list[Method | LeftOut]:
    """One-vs-rest logistic regression, the top models that fine-tuning starts from, and the fine-tuned models."""
    starts = list(dict.fromkeys(run.top_model for run in config.finetuned))
    final = f"model/{config.dataset_id}.h5"
    return [
        _independent(config, starts),
        Method(
            "top_model",
            "Top model on bottleneck features",
            tuple(_seeds(config, run) for run in starts),
            tuple(f"model/{run.name}.h5" for run in starts),
            smaller={
                size: Scores("learning_curve.h5", f"all_{size}/test")
                for size in config.learning_curve.sizes
                if starts == [config.learning_curve_run]
            },
        ),
        Method(
            "fine_tuned",
            "Fine-tuned",
            tuple((_finetuned(run.name, run.top_model.name),) for run in config.finetuned),
            (final,) * len(config.finetuned),
        ),
    ]


def _independent(config: Keys, starts: list[TopModelRun]) -> Method | LeftOut:
    """Logistic regression on the features of the first top model that takes one number per channel."""
    name, title = "one_vs_rest", "One-vs-rest logistic regression (scikit-learn)"
    plain = next((run for run in starts if run.pooling != "77"), None)
    if plain is None:
        return LeftOut(name, title, "all of finetune.runs take whole maps (77)")
    run = f"independent_{plain.preprocess}_{plain.pooling}"
    folder = f"independent/{run}"
    return Method(
        name,
        title,
        ((Run(run, record=f"{folder}/run.json", timing=(f"timing/{folder}.csv",)),),),
        (f"model/{run}.h5",),
        smaller={size: Scores(f"{folder}/smaller.h5", f"n{size}") for size in config.learning_curve.sizes},
    )


def _seeds(config: Keys, run: TopModelRun) -> tuple[Run, ...]:
    """A run of stage 1 with each seed that it is trained with."""
    further = config.further_seeds if run in config.repeated else []
    places = ["", *(f"seeds/{seed}" for seed in further)]
    return tuple(_top_model(run.name, place) for place in places)


def _top_model(name: str, place: str) -> Run:
    above = f"{place}/" if place else ""
    return Run(name, place, f"{above}top_models/{name}/run.json", (f"{above}timing/top_models/{name}.csv",))


def _finetuned(name: str, start: str) -> Run:
    timing = (f"timing/top_models/{start}.csv", f"timing/finetuned/{name}.csv")
    return Run(name, record=f"finetuned/{name}/run.json", timing=timing)
