"""The keys of the experiment `comparison`."""

import difflib

from pydantic import Field, model_validator

from multilabel import methods
from multilabel.config.sections import Section, Seed
from multilabel.config.shared import Shared


class Comparison(Section):
    """Every method on one dataset, judged by the same rules: the target `comparison`."""

    methods: list[str] = Field([], description="which methods; empty: all that configuration and dataset can have")
    gallery: list[str] = Field([], description="which of them the page of images has; empty: all")
    gallery_size: int = Field(
        10000, ge=1, description="rows of labels, of one image by one method, that this page has at most"
    )
    seed: Seed = Field(0, description="which images this page has, where there are more")


class Keys(Shared):
    """What the experiment adds to the configuration."""

    comparison: Comparison = Comparison()

    @model_validator(mode="after")
    def _methods_are_known(self) -> "Keys":
        known = methods.offered(self)
        for key in ("methods", "gallery"):
            for name in getattr(self.comparison, key):
                if name not in known:
                    near = difflib.get_close_matches(name, known, 3)
                    hint = f"near: {', '.join(near)}" if near else f"there are {', '.join(known)}"
                    raise ValueError(f"comparison.{key}: no such method: {name}; {hint}")
        outside = set(self.comparison.gallery) - set(self.comparison.methods or known)
        if outside:
            raise ValueError(f"comparison.gallery: expected names of comparison.methods, found {', '.join(outside)}")
        return self

    @property
    def compared_methods(self) -> dict[str, methods.Method]:
        """The methods that are compared, by name, in the order of the configuration, or else of the experiments."""
        return {name: offer for name, offer in self._wanted.items() if isinstance(offer, methods.Method)}

    @property
    def left_out_methods(self) -> list[methods.LeftOut]:
        """The methods that are wanted and cannot be had."""
        return [offer for offer in self._wanted.values() if isinstance(offer, methods.LeftOut)]

    @property
    def _wanted(self) -> dict[str, methods.Method | methods.LeftOut]:
        known = methods.offered(self)
        return {name: known[name] for name in self.comparison.methods or known}
