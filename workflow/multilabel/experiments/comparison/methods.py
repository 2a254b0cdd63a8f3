"""What the experiment itself adds to what is compared: label frequencies, which everything else has to beat."""

from multilabel.config.shared import Shared
from multilabel.experiments.comparison.names import FREQUENCIES, PLACE
from multilabel.methods import LeftOut, Method, Run


def methods(config: Shared) -> list[Method | LeftOut]:
    """Label frequencies."""
    run = Run(FREQUENCIES, PLACE, f"{PLACE}/runs/{FREQUENCIES}/run.json")
    return [Method(FREQUENCIES, "Label frequencies", ((run,),), (f"{PLACE}/models/{FREQUENCIES}.h5",))]
