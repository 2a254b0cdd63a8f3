"""The keys of the experiment `miml`."""

from typing import Literal

from pydantic import Field

from multilabel.config.sections import Section, Seed
from multilabel.config.shared import Shared


class Miml(Section):
    """Linear classifiers on features of all blocks, over random splits (Dong et al. 2015): the target `miml`."""

    source: Literal["train", "test"] = Field("train", description="which files of `dataset` the splits are drawn from")
    preprocess: Literal["inet", "zmuvs", "caffe", "torch"] = Field("caffe", description="normalisation of the images")
    blocks: list[str] = Field(
        [f"block{number}_pool" for number in range(1, 6)],
        description="layers whose maps are pooled over quadrants; empty: the last of each size of map, for other "
        "networks than VGG16",
    )
    bag: str = Field("fc2", description="layer of the whole image; average: the mean over the last map")
    splits: int = Field(30, ge=2, description="random splits")
    share: float = Field(2 / 3, gt=0, lt=1, description="of the images that train")
    sizes: list[int] = Field(
        [30, 60, 100, 150, 200, 250, 300, 350], description="numbers of training images of Fig. 3, besides all"
    )
    c: float = Field(1.0, gt=0, description="liblinear's cost; 1 is the paper's λ")
    solver: Literal["own", "liblinear"] = Field(
        "own", description="liblinear: scikit-learn's, slower, as the reference"
    )
    largest_gb: float = Field(
        4.0,
        gt=0,
        description="the most memory that the features of train may take where L1 and L2 are compared on a dataset's "
        "own splits; a larger dataset leaves both out of `comparison.methods`",
    )
    seed: Seed = Field(1, description="of the splits, and of the parts of train that are of these sizes")
    splits_per_job: int = Field(10, ge=1, description="splits that share one process")
    beside: list[str] = Field([], description="datasets whose finished results Fig. 3 also shows, such as msrc_v2")


class Keys(Shared):
    """What the experiment adds to the configuration."""

    miml: Miml = Miml()

    @property
    def miml_departures(self) -> list[str]:
        """In words, where network, features and splits are not those of the paper."""
        paper = type(self)()
        keys = {
            "base": ("network", "options", "weights", "width", "input_size"),
            "miml": ("preprocess", "blocks", "bag", "splits", "share", "c"),
        }
        return [
            f"{section}.{key} is {getattr(getattr(self, section), key)}, not {getattr(getattr(paper, section), key)}"
            for section, names in keys.items()
            for key in names
            if getattr(getattr(self, section), key) != getattr(getattr(paper, section), key)
        ]
