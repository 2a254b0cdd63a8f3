"""Keys that a configuration file gives twice, of which YAML silently takes the last."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from multilabel.config.sections import ConfigError

# The parser in C is ten times as fast; both are safe: nothing is built from the file.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def refuse_repeated_keys(path: str | Path) -> None:
    """Check that a file of YAML, or JSON, gives no key twice.

    Raises:
        ConfigError: names the file, each such key and its lines.
    """
    with Path(path).open(encoding="utf-8-sig") as file:
        try:
            root = yaml.compose(file, Loader=_LOADER)
        except yaml.YAMLError:
            return  # what reads the file says so
    repeated = list(_repeated(root))
    if repeated:
        lines = [f"  {key}: in lines {first} and {second}" for key, first, second in repeated]
        raise ConfigError(
            "\n".join([f"{path} gives keys twice, of which only the last would count; make one of both:", *lines])
        )


def _repeated(node: yaml.Node | None, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """Dotted keys that a mapping has twice, or one in it, with both lines, from 1."""
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = f"{prefix}{key.value}", key.start_mark.line + 1
            if name in lines:
                yield name, lines[name], line
            lines[name] = line
            yield from _repeated(value, f"{name}.")
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value, prefix)
