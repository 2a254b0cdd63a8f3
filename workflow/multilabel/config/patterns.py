"""Patterns of run names."""

import itertools
import re
from collections.abc import Iterable, Iterator


def expand(patterns: Iterable[str]) -> Iterator[str]:
    """Every name that the patterns stand for, as a shell expands braces: in order, each once.

    >>> list(expand(["avg_{1,2}x{8,16}d5"]))
    ['avg_1x8d5', 'avg_1x16d5', 'avg_2x8d5', 'avg_2x16d5']
    """
    seen = set()
    for pattern in patterns:
        parts = [part.split(",") if braces else [part] for part, braces in _parts(pattern)]
        for name in map("".join, itertools.product(*parts)):
            if name not in seen:
                seen.add(name)
                yield name


def _parts(pattern: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a pattern, each with whether it stood in braces."""
    for index, part in enumerate(re.split(r"\{([^{}]*)\}", pattern)):
        if index % 2 == 0 and ("{" in part or "}" in part):
            raise ValueError(f"run pattern {pattern!r}: a brace without its partner")
        yield part, index % 2 == 1
