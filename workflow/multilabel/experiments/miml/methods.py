"""What the experiment offers for comparison: logistic regression with either penalty on features of all layers."""

from multilabel.config.miml import Keys
from multilabel.methods import LeftOut, Method, Run, Scores

TITLES = {"l1": "L1 logistic regression, all layers", "l2": "L2 logistic regression, all layers"}


def methods(config: Keys) -> list[Method | LeftOut]:
    """Both penalties. How much memory a dataset's features take shows only once its images are counted.

    Likewise, a size of `smaller` that is not below the number of training images stands for all of them.
    """
    return [
        Method(
            name,
            title,
            ((Run(name, "miml", f"miml/runs/{name}/run.json", (f"miml/timing/{name}.csv",)),),),
            (f"miml/models/{name}.h5",),
            smaller={size: Scores(f"miml/predictions/{name}_n{size}/test.h5") for size in sorted(config.miml.sizes)},
        )
        for name, title in TITLES.items()
    ]
