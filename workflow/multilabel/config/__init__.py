"""The configuration as typed models: defaults are the papers at full size; a wrong entry is named with what is valid.

Each experiment brings its keys and checks in a module of its name, whose class `Keys` is laid over the shared sections.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from multilabel.config.repeated import refuse_repeated_keys
from multilabel.config.sections import ConfigError
from multilabel.config.shared import Shared
from multilabel.experiments import EXPERIMENTS

_MODULES = [import_module(f"multilabel.config.{name}") for name in EXPERIMENTS]
NOTES: list[str] = [module.NOTES for module in _MODULES if hasattr(module, "NOTES")]
"""What experiments say of their keys in the reference, beyond a line for each."""

if TYPE_CHECKING:
    Config = Shared
else:
    # The keys of the first experiment come first in the reference.
    Config = type(
        "Config",
        tuple(module.Keys for module in reversed(_MODULES)),
        {"__module__": __name__, "__doc__": "The whole configuration."},
    )

__all__ = ["NOTES", "Config", "ConfigError", "existing_paths", "load", "refuse_repeated_keys"]


def load(values: Mapping[str, Any]) -> Config:
    """Check a configuration as read from YAML.

    Raises:
        ConfigError: names each wrong key, what was found and what is allowed, and the nearest key for an unknown one.
    """
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        problems = [_describe(problem) for problem in error.errors()]
        raise ConfigError("\n".join([f"the configuration has {len(problems)} problem(s):", *problems])) from None


def _describe(problem: Any) -> str:
    """One line about one of pydantic's errors: key, what is wrong, what was found."""
    location, found = problem["loc"], problem["input"]
    key = ".".join(map(str, location)) or "configuration"
    if problem["type"] == "extra_forbidden":
        allowed = _keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), allowed, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"  {key}: unknown key; {hint}allowed here: {', '.join(allowed)}"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(found, (Mapping, BaseModel)):
        return f"  {key}: {message}"
    hint = _as_yaml(found) if problem["type"] == "float_type" and isinstance(found, str) else ""
    return f"  {key}: {message[0].lower()}{message[1:]}; found {found!r}{hint}"


def _as_yaml(text: str) -> str:
    """How a number that YAML reads as text is written: with a point, and a sign before the exponent."""
    try:
        mantissa, _, exponent = f"{float(text):e}".partition("e")
    except ValueError:
        return ""
    return f", which YAML reads as text: write {float(mantissa)}e{int(exponent):+d}"


def _keys(location: Iterable[Any]) -> list[str]:
    """The keys that are allowed at a place of the configuration."""
    model: Any = Config
    for step in location:
        model = model.model_fields[step].annotation
        model = next((kind for kind in get_args(model) if isinstance(kind, type)), model)
    return list(model.model_fields)


def existing_paths(config: Config, made: Collection[str] = ()) -> None:
    """Check that every path that the configuration names exists, or is among those that can be `made`.

    Raises:
        ConfigError: names each key whose path is missing.
    """
    paths = {}
    if config.dataset.kind != "shapes":
        sources = {"train": config.dataset.train} | (
            {} if config.dataset.test.fraction else {"test": config.dataset.test}
        )
        for split, source in sources.items():
            paths[f"dataset.{split}.images"] = source.images
            paths[f"dataset.{split}.annotations"] = source.annotations
    if config.base.weights not in ("official", "random", "pretrain"):
        paths["base.weights"] = config.base.weights
    paths |= config.named_paths
    wrong = []
    for key, path in paths.items():
        if not (Path(path).exists() or path in made):
            wrong.append(f"  {key}: no such path: {path}")
        elif key.endswith(".images") and Path(path).is_file():
            wrong.append(f"  {key}: expected a folder of images, found a file: {path}")
        elif config.dataset.kind in ("coco", "csv") and key.endswith(".annotations") and Path(path).is_dir():
            wrong.append(f"  {key}: expected a file, found a folder: {path}")
    if wrong:
        raise ConfigError("\n".join(["the configuration names what is not there:", *wrong]))
