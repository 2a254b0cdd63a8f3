"""What the experiment offers for comparison: training on few labels per image, above the fixed base network or with it.

Two losses of the paper and the one that it compares with: all see observed positive labels and nothing else.
"""

from multilabel.config.single_positive import Keys, SinglePositive
from multilabel.experiments.single_positive.runs import LOSSES, Study
from multilabel.methods import LeftOut, Method, Run

FOLDER = "single_positive"
OFFERED_LOSSES = ("an", "epr", "role")
MODES = {"linear": ("", ""), "end_to_end": ("_finetuned", ", fine-tuned")}
"""What names and titles of methods end in. What is fine-tuned is offered where it is trained at all."""


def methods(config: Keys) -> list[Method | LeftOut]:
    """Each loss on the main number of observed labels; see `multilabel.methods`."""
    keys = config.single_positive
    studies = {(study.mode, study.loss): study for study in keys.studies if study.observed == keys.main}
    offers: list[Method | LeftOut] = []
    for mode, (suffix, addition) in MODES.items():
        for loss in OFFERED_LOSSES:
            study = studies.get((mode, loss))
            if study is None and mode != "linear":
                continue
            name, title = f"single_{loss}{suffix}", f"{LOSSES[loss]}, {_labels(keys.main)}{addition}"
            reason = _reason(config, mode, loss)
            offers.append(LeftOut(name, title, reason) if reason or not study else _method(name, title, study, keys))
    return offers


def _method(name: str, title: str, study: Study, keys: SinglePositive) -> Method:
    runs = tuple(
        Run(run, FOLDER, f"{FOLDER}/chosen/{run}/run.json", (f"{FOLDER}/timing/{run}.csv",))
        for run in keys.chosen_names(study)
    )
    return Method(name, title, (runs,), (f"{FOLDER}/models/{study.name}.h5",), study.positives)


def _reason(config: Keys, mode: str, loss: str) -> str:
    """Why a loss cannot be compared; empty where it can."""
    keys = config.single_positive
    if config.dataset.kind == "voc" and config.dataset.difficult == "ignore":
        return "dataset.difficult is ignore, and observed labels are drawn from labels that are there or not"
    if not keys.main.isdecimal():
        return f"single_positive.observed begins with {keys.main}, which is no number of labels per image"
    if loss not in getattr(keys, mode).losses:
        return f"single_positive.{mode}.losses has no {loss}"
    return ""


def _labels(observed: str) -> str:
    """The number of observed labels per image in words."""
    if "." in observed:
        return f"{100 * float(observed):g} % of the labels"
    return {"1": "one label per image", "all": "all labels"}.get(observed, f"{observed} labels per image")
