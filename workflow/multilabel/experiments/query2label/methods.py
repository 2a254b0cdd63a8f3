"""The methods of the experiment: the transformer, and what is trained beside it by the same loss."""

from multilabel.config.query2label import KINDS, Keys
from multilabel.methods import LeftOut, Method, Run

NAMES = {"transformer": "query2label", "pooled": "pooled", "finetuned": "fine_tuned_asymmetric"}
TITLES = {"pooled": "Pooled top model, asymmetric loss", "finetuned": "Fine-tuned, asymmetric loss"}


def methods(config: Keys) -> list[Method | LeftOut]:
    """What the configuration trains of them."""
    keys = config.query2label
    return [_method(kind, keys.runs(kind)) if kind in keys.kinds else _left_out(kind, keys.train) for kind in KINDS]


def _method(kind: str, names: list[str]) -> Method:
    place = "query2label"
    runs = tuple(Run(name, place, f"{place}/runs/{name}/run.json", (f"{place}/timing/{name}.csv",)) for name in names)
    return Method(NAMES[kind], TITLES.get(kind, KINDS[kind]), (runs,), (f"{place}/models/{names[0]}.h5",))


def _left_out(kind: str, train: bool) -> LeftOut:
    reason = f"query2label.compared.{kind}.seeds is 0" if train else "query2label.train is false"
    return LeftOut(NAMES[kind], TITLES.get(kind, KINDS[kind]), reason)
