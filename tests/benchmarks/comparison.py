"""What benchmarks share: rows of a table in which ours stands beside a peer, measured in the same run."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One comparison: what ours and the peer took in each round, in `unit`; and the ratio that is expected."""

    work: str
    peer: str
    ours: Sequence[float]
    theirs: Sequence[float]
    unit: str = "s"
    expected: float | None = None

    @property
    def ratios(self) -> list[float]:
        """Theirs by ours, of each round: above 1, ours is better."""
        return [their / our for our, their in zip(self.ours, self.theirs, strict=True)]


def machine() -> str:
    """What the table was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}; other work at the start: load {load:.1f}"
    )


def show(rows: Iterable[Row]) -> None:
    """Print the table, each row as soon as it is measured."""
    form = "| {:46} | {:34} | {:>9} | {:>9} | {:>22} | {:>8} |".format
    print(form("work", "peer", "ours", "peer", "ratio (range)", "expected"))
    print(form(*("-" * 3 for _ in range(6))))
    for row in rows:
        ratios = row.ratios
        spread = f" ({min(ratios):.2f}–{max(ratios):.2f})" if len(ratios) > 1 else ""
        print(
            form(
                row.work,
                row.peer,
                f"{min(row.ours):.2f} {row.unit}",
                f"{min(row.theirs):.2f} {row.unit}",
                f"{statistics.median(ratios):.2f}{spread}",
                f"≥ {row.expected:g}" if row.expected else "",
            ),
            flush=True,
        )


def in_turn(functions: Mapping[str, Callable[[], Any]], rounds: int, *, warm: bool = True) -> dict[str, list[float]]:
    """Seconds of each call by name. In turn: other work meets all alike. With `warm` a first round does not count."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + warm):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if number >= warm:
                taken[name].append(time.perf_counter() - started)
    return taken


def in_own_process(path: str, *arguments: str) -> dict[str, float]:
    """Call `path` as a script that ends with `report`; gives what it reports."""
    result = subprocess.run([sys.executable, path, *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def report(**values: float) -> None:
    """Print values and this process's peak of memory in GB, for `in_own_process`."""
    print(json.dumps(values | {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))
