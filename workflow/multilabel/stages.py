"""What an experiment says of itself to DVC and to clusters: its stages, and its jobs that are too small alone.

The files that follow from it, `dvc.yaml`, `demo/dvc.yaml` and the groups of the SLURM profile, are written by
`make generated`.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """One stage of DVC.

    `target` is the Snakemake target that makes its outputs, with what earlier stages made; `params` are the keys of the
    configuration, sections or single ones, that change its jobs. Files follow from the rules.
    """

    name: str
    target: str
    params: list[str]


class Plot(NamedTuple):
    """A plot of DVC: columns `x` and `y` of a CSV file below the results, drawn by a template of DVC."""

    title: str
    template: str
    x: str
    y: str
    file: str
