"""The networks of `keras.applications`, by name."""

import difflib
from typing import Any

import keras


def constructor(network: str) -> Any:
    """The function of `keras.applications` that makes a network, whose name may be in any case.

    Raises:
        ValueError: there is none; the message has near names.
    """
    names = [name for name, made in vars(keras.applications).items() if callable(made)]
    by_name = {name.lower(): name for name in names}
    if network.lower() not in by_name:
        near = difflib.get_close_matches(network.lower(), by_name, 3) or sorted(by_name)[:5]
        hint = ", ".join(by_name[name] for name in near)
        raise ValueError(f"base.network: expected a network of keras.applications, found {network!r}; near: {hint}")
    return getattr(keras.applications, by_name[network.lower()])
