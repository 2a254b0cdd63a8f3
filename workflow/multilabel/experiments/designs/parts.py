"""Networks of one label each in one file: what a job that trains some of them leaves.

HDF5 with a group per network, named by the number of its label, in it a group per layer with its weights 0, 1, …; the
attributes `classes` and `record`. Of Model 2, all but the first network have heads only: the convolutions are the
first's, and lie there once.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras

from multilabel.experiments.designs import networks
from multilabel.files import complete_or_absent


def save(
    path: str | Path,
    models: Mapping[int, keras.Model],
    *,
    classes: Sequence[str],
    record: Mapping[str, Any],
    heads_only: bool = False,
) -> None:
    """Write networks by the number of their label; the same content gives the same bytes."""
    with complete_or_absent(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.create("classes", list(classes), dtype=h5py.string_dtype())
        file.attrs["record"] = json.dumps(record, sort_keys=True)
        for number, model in sorted(models.items()):
            for layer in model.layers:
                if layer.weights and not (heads_only and isinstance(layer, keras.layers.Conv2D)):
                    group = file.create_group(f"{number}/{layer.name}")
                    for index, weight in enumerate(layer.get_weights()):
                        group[str(index)] = weight


def load(paths: Sequence[str | Path], sizes: networks.Sizes) -> list[keras.Model]:
    """The networks of all files in the order of the labels.

    Raises:
        ValueError: a file is damaged or does not fit, or networks are missing; the message names the file.
    """
    models: dict[int, keras.Model] = {}
    without: list[keras.Model] = []
    for path in paths:
        try:
            with h5py.File(path, "r", locking=False) as file:
                for number, stored in file.items():
                    model = models[int(number)] = networks.build(1, sizes, seed=0)
                    for layer in model.layers:
                        if layer.name in stored:
                            layer.set_weights([stored[layer.name][str(i)][()] for i in range(len(stored[layer.name]))])
                    if networks.convolutions(model)[0].name not in stored:
                        without.append(model)
        except (OSError, KeyError, ValueError) as error:
            raise ValueError(f"{path}: expected networks of {sizes}: {error}. Remove it to make it again") from error
    missing = sorted(set(range(max(models, default=0) + 1)) - set(models))
    if missing:
        raise ValueError(f"{', '.join(map(str, paths))}: no network of the labels {missing[:5]}")
    for model in without:
        networks.share_convolutions(model, models[0])
    return [models[number] for number in sorted(models)]


def described(paths: Sequence[str | Path]) -> tuple[list[str], dict[str, Any]]:
    """Classes and record, which all files have alike but for the number of their job."""
    with h5py.File(paths[0], "r", locking=False) as file:
        return list(file.attrs["classes"]), json.loads(file.attrs["record"])
